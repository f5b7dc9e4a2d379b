package graph_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() { tables = append(tables, nets(), recurrent(), convolutions()) }

// Shorthand of the rows.
var (
	sub, plus, times, over = must2(gorgonia.Sub), must2(gorgonia.Add), must2(gorgonia.HadamardProd), must2(gorgonia.HadamardDiv)
	product                = must2(gorgonia.Mul)
	sigmoid, tanh, exp     = must1(gorgonia.Sigmoid), must1(gorgonia.Tanh), must1(gorgonia.Exp)
	logOf, square, neg     = must1(gorgonia.Log), must1(gorgonia.Square), must1(gorgonia.Neg)
)

func must1(f unary) func(*gorgonia.Node) *gorgonia.Node {
	return func(n *gorgonia.Node) *gorgonia.Node { return must(f(n)) }
}

func must2(f binary) func(a, b *gorgonia.Node) *gorgonia.Node {
	return func(a, b *gorgonia.Node) *gorgonia.Node { return must(f(a, b)) }
}

func mean(n *gorgonia.Node, axes ...int) *gorgonia.Node { return must(gorgonia.Mean(n, axes...)) }
func sum(n *gorgonia.Node, axes ...int) *gorgonia.Node  { return must(gorgonia.Sum(n, axes...)) }

// biased adds a row of biases.
func biased(n, b *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.BroadcastAdd(n, b, nil, []byte{0}))
}

func nets() []pattern {
	var rows []pattern
	for name, f := range map[string]unary{"sigmoid": gorgonia.Sigmoid, "tanh": gorgonia.Tanh, "rectify": gorgonia.Rectify, "softplus": gorgonia.Softplus, "mish": gorgonia.Mish} {
		rows = append(rows, pattern{name: "mlp/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(f(biased(product(u.x(4, 3), u.w(3, 5)), u.w(1, 5))))
			return u.mse(biased(product(h, u.w(5, 2)), u.w(1, 2)))
		}})
	}
	return append(rows,
		pattern{name: "mlp/vector biases", build: func(u *user) (out, cost *gorgonia.Node) {
			h := tanh(biased(product(u.x(4, 3), u.w(3, 5)), u.w(5)))
			return u.mse(biased(product(h, u.w(5, 2)), u.w(2)))
		}},
		pattern{name: "linear regression/numbers", build: func(u *user) (out, cost *gorgonia.Node) {
			x, m, c := u.x(6), u.w(), u.w()
			out = plus(product(x, m), c)
			return out, mean(square(sub(out, u.y(6))))
		}},
		pattern{name: "linear regression/vector of weights", build: func(u *user) (out, cost *gorgonia.Node) {
			out = product(u.x(6, 3), u.w(3))
			return out, mean(square(sub(out, u.y(6))))
		}},
		pattern{name: "linear regression/one example", build: func(u *user) (out, cost *gorgonia.Node) {
			out = plus(times(u.x(), u.w()), u.w())
			return out, square(sub(out, u.y()))
		}},
		pattern{name: "layer norm", build: func(u *user) (out, cost *gorgonia.Node) {
			h := product(u.x(4, 3), u.w(3, 5))
			column := func(n *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Reshape(n, tensor.Shape{4, 1})) }
			d := must(gorgonia.BroadcastSub(h, column(mean(h, 1)), nil, []byte{1}))
			scale := must(gorgonia.Sqrt(plus(mean(square(d), 1), u.num(1e-5))))
			h = must(gorgonia.BroadcastHadamardDiv(d, column(scale), nil, []byte{1}))
			return u.mse(biased(must(gorgonia.BroadcastHadamardProd(h, u.w(1, 5), nil, []byte{0})), u.w(1, 5)))
		}},
		pattern{name: "softmax by hand", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(rowSoftmax(product(u.x(4, 3), u.w(3, 5))))
		}},
		pattern{name: "attention/one head", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(4, 3)
			q, k, v := product(x, u.w(3, 2)), product(x, u.w(3, 2)), product(x, u.w(3, 2))
			scores := over(product(q, must(gorgonia.Transpose(k))), u.num(1.41421356))
			return u.mse(product(rowSoftmax(scores), v))
		}},
		pattern{name: "attention/batched", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(2, 3, 4)
			project := func() *gorgonia.Node {
				flat := must(gorgonia.Reshape(x, tensor.Shape{6, 4}))
				return must(gorgonia.Reshape(product(flat, u.w(4, 2)), tensor.Shape{2, 3, 2}))
			}
			q, k, v := project(), project(), project()
			scores := must(gorgonia.BatchedMatMul(q, k, false, true))
			e := exp(scores)
			total := must(gorgonia.Reshape(sum(e, 2), tensor.Shape{2, 3, 1}))
			return u.mse(must(gorgonia.BatchedMatMul(must(gorgonia.BroadcastHadamardDiv(e, total, nil, []byte{2})), v)))
		}},
		pattern{name: "dropout by a mask that is fed", build: func(u *user) (out, cost *gorgonia.Node) {
			h := times(tanh(product(u.x(4, 3), u.w(3, 5))), u.x(4, 5))
			return u.mse(product(h, u.w(5, 2)))
		}},
		pattern{name: "swish", build: func(u *user) (out, cost *gorgonia.Node) {
			z := product(u.x(4, 3), u.w(3, 2))
			return u.mse(times(z, sigmoid(product(u.num(1.7), z))))
		}},
		pattern{name: "gelu", build: func(u *user) (out, cost *gorgonia.Node) {
			z := product(u.x(4, 3), u.w(3, 2))
			inner := product(u.num(0.7978845608), plus(z, product(u.num(0.044715), must(gorgonia.Cube(z)))))
			return u.mse(times(product(u.num(0.5), z), plus(u.num(1), tanh(inner))))
		}},
		pattern{name: "elu", build: func(u *user) (out, cost *gorgonia.Node) {
			z := product(u.x(4, 3), u.w(3, 2))
			negative := neg(must(gorgonia.Rectify(neg(z))))
			return u.mse(plus(must(gorgonia.Rectify(z)), sub(exp(negative), u.num(1))))
		}},
		pattern{name: "highway", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(4, 3)
			gate := sigmoid(product(x, u.w(3, 3)))
			return u.mse(plus(times(gate, tanh(product(x, u.w(3, 3)))), times(sub(u.num(1), gate), x)))
		}},
		pattern{name: "several inputs", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(gorgonia.Concat(1, product(u.x(4, 3), u.w(3, 2)), product(u.x(4, 2), u.w(2, 3))))
			return u.mse(product(tanh(h), u.w(5, 2)))
		}},
	)
}

// rowSoftmax is the softmax of each row.
func rowSoftmax(z *gorgonia.Node) *gorgonia.Node {
	e := exp(z)
	total := must(gorgonia.Reshape(sum(e, 1), tensor.Shape{z.Shape()[0], 1}))
	return must(gorgonia.BroadcastHadamardDiv(e, total, nil, []byte{1}))
}

func recurrent() []pattern {
	return []pattern{
		{name: "recurrent/elman", build: func(u *user) (out, cost *gorgonia.Node) {
			w, v, b := u.w(3, 4), u.w(4, 4), u.w(1, 4)
			h := u.x(2, 4)
			for range 3 {
				h = tanh(biased(plus(product(u.x(2, 3), w), product(h, v)), b))
			}
			return u.mse(product(h, u.w(4, 2)))
		}},
		{name: "recurrent/lstm", build: func(u *user) (out, cost *gorgonia.Node) {
			gates := [4]func(x, h *gorgonia.Node) *gorgonia.Node{}
			for i := range gates {
				w, v, b := u.w(3, 2), u.w(2, 2), u.w(1, 2)
				gates[i] = func(x, h *gorgonia.Node) *gorgonia.Node { return biased(plus(product(x, w), product(h, v)), b) }
			}
			h, c := u.x(2, 2), u.x(2, 2)
			for range 3 {
				x := u.x(2, 3)
				c = plus(times(sigmoid(gates[0](x, h)), c), times(sigmoid(gates[1](x, h)), tanh(gates[2](x, h))))
				h = times(sigmoid(gates[3](x, h)), tanh(c))
			}
			return u.mse(h)
		}},
		{name: "recurrent/lstm of vectors", build: func(u *user) (out, cost *gorgonia.Node) {
			gates := [4]func(x, h *gorgonia.Node) *gorgonia.Node{}
			for i := range gates {
				w, v, b := u.w(2, 3), u.w(2, 2), u.w(2)
				gates[i] = func(x, h *gorgonia.Node) *gorgonia.Node { return plus(plus(product(w, x), product(v, h)), b) }
			}
			h, c := u.x(2), u.x(2)
			for range 2 {
				x := u.x(3)
				c = plus(times(sigmoid(gates[0](x, h)), c), times(sigmoid(gates[1](x, h)), tanh(gates[2](x, h))))
				h = times(sigmoid(gates[3](x, h)), tanh(c))
			}
			return u.mse(h)
		}},
		{name: "recurrent/gru", build: func(u *user) (out, cost *gorgonia.Node) {
			gates := [3]func(x, h *gorgonia.Node) *gorgonia.Node{}
			for i := range gates {
				w, v := u.w(3, 2), u.w(2, 2)
				gates[i] = func(x, h *gorgonia.Node) *gorgonia.Node { return plus(product(x, w), product(h, v)) }
			}
			h := u.x(2, 2)
			for range 3 {
				x := u.x(2, 3)
				z, r := sigmoid(gates[0](x, h)), sigmoid(gates[1](x, h))
				h = plus(times(z, h), times(sub(u.num(1), z), tanh(gates[2](x, times(r, h)))))
			}
			return u.mse(h)
		}},
		{name: "recurrent/char RNN with a loss a step", build: func(u *user) (out, cost *gorgonia.Node) {
			wx, wh, wo, b := u.w(2, 3), u.w(2, 2), u.w(3, 2), u.w(2)
			h := u.x(2)
			for t := range 3 {
				x, y := u.x(3), u.bits(3)
				h = tanh(plus(plus(product(wx, x), product(wh, h)), b))
				out = product(wo, h)
				p := over(exp(out), sum(exp(out)))
				loss := neg(sum(times(y, logOf(p))))
				if t == 0 {
					cost = loss
				} else {
					cost = plus(cost, loss)
				}
			}
			return out, cost
		}},
	}
}

func convolutions() []pattern {
	var rows []pattern
	for i, c := range []struct{ kernel, pad, stride, dilation []int }{
		{[]int{3, 3}, []int{0, 0}, []int{1, 1}, []int{1, 1}}, {[]int{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}},
		{[]int{2, 2}, []int{0, 0}, []int{2, 2}, []int{1, 1}}, {[]int{3, 2}, []int{1, 0}, []int{2, 1}, []int{1, 1}},
		{[]int{2, 2}, []int{1, 1}, []int{1, 1}, []int{2, 2}}, {[]int{1, 1}, []int{0, 0}, []int{1, 1}, []int{1, 1}},
	} {
		rows = append(rows, pattern{name: fmt.Sprintf("convolution/%d: kernel %v pad %v stride %v dilation %v", i, c.kernel, c.pad, c.stride, c.dilation), build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Conv2d(u.x(2, 2, 4, 4), u.w(3, 2, c.kernel[0], c.kernel[1]), tensor.Shape(c.kernel), c.pad, c.stride, c.dilation)))
		}})
	}
	conv := func(x, w *gorgonia.Node) *gorgonia.Node {
		s := w.Shape()
		return must(gorgonia.Conv2d(x, w, tensor.Shape{s[2], s[3]}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
	}
	return append(rows,
		pattern{name: "convolution/1-D", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Conv1d(u.x(2, 2, 1, 6), u.w(3, 2, 1, 3), 3, 1, 1, 1)))
		}},
		pattern{name: "convolution/with bias and rectify", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.BroadcastAdd(conv(u.x(2, 2, 4, 4), u.w(3, 2, 3, 3)), u.w(1, 3, 1, 1), nil, []byte{0, 2, 3}))
			return u.mse(must(gorgonia.Rectify(z)))
		}},
		pattern{name: "convolution/two, pooling and a layer", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(gorgonia.Rectify(conv(u.x(2, 1, 4, 4), u.w(2, 1, 3, 3))))
			h = must(gorgonia.MaxPool2D(h, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
			h = tanh(conv(h, u.w(3, 2, 3, 3)))
			return u.mse(product(must(gorgonia.Reshape(h, tensor.Shape{2, 12})), u.w(12, 2)))
		}},
		pattern{name: "pooling/max 1-D", note: "AveragePool1D", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(gorgonia.Conv1d(u.x(2, 2, 1, 6), u.w(3, 2, 1, 3), 3, 1, 1, 1))
			return u.mse(must(gorgonia.MaxPool1D(h, 2, 0, 2)))
		}},
		pattern{name: "pooling/mean over places", build: func(u *user) (out, cost *gorgonia.Node) {
			h := conv(u.x(2, 1, 4, 4), u.w(2, 1, 3, 3))
			return u.mse(mean(must(gorgonia.Reshape(h, tensor.Shape{2, 2, 16})), 2))
		}},
		pattern{name: "upsampling autoencoder", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(gorgonia.MaxPool2D(tanh(conv(u.x(2, 1, 4, 4), u.w(2, 1, 3, 3))), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
			return u.mse(conv(must(gorgonia.Upsample2D(h, 2)), u.w(1, 2, 3, 3)))
		}},
	)
}
