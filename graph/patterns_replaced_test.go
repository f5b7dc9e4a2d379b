package graph_test

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() { tables = append(tables, softmaxes(), slicings(), images(), replacedProducts()) }

// along is f of one axis.
func along(f func(*gorgonia.Node, ...int) (*gorgonia.Node, error), axis int, x *gorgonia.Node) *gorgonia.Node {
	return must(f(x, axis))
}

func softmaxes() []pattern {
	return []pattern{
		{name: "softmax/probabilities", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			_, cost = u.mse(must(gorgonia.SoftMax(z)))
			return z, cost
		}},
		{name: "softmax/log of it", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			p := must(gorgonia.Log(must(gorgonia.SoftMax(z))))
			return z, must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.HadamardProd(p, u.oneHot(3, 4)))))))
		}},
		{name: "softmax/log-softmax along the first axis", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			_, cost = u.mse(along(gorgonia.LogSoftMax, 0, z))
			return z, cost
		}},
		{name: "softmax/log of an output", wrong: "turns the SoftMax node itself into its logarithm", build: func(u *user) (out, cost *gorgonia.Node) {
			p := must(gorgonia.SoftMax(must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))))
			return p, must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.HadamardProd(must(gorgonia.Log(p)), u.oneHot(3, 4)))))))
		}},
		{name: "softmax/entropy", wrong: "turns the SoftMax node itself into its logarithm", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			p := must(gorgonia.SoftMax(z))
			return z, must(gorgonia.Mean(must(gorgonia.HadamardProd(p, must(gorgonia.Log(p))))))
		}},
		{name: "softmax/entropy by exponentials", wrong: "is LogSoftMax in all of them", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			l := must(gorgonia.LogSoftMax(z))
			return z, must(gorgonia.Mean(must(gorgonia.HadamardProd(must(gorgonia.Exp(l)), l))))
		}},
		{name: "softmax/attention", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(2, 3, 4)
			q, k := must(gorgonia.BatchedMatMul(x, u.w(2, 4, 4))), must(gorgonia.BatchedMatMul(x, u.w(2, 4, 4)))
			scores := must(gorgonia.BatchedMatMul(q, k, false, true))
			return u.mse(must(gorgonia.BatchedMatMul(along(gorgonia.SoftMax, 2, scores), x)))
		}},
		{name: "softmax/heads of attention", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.HadamardProd(u.x(2, 2, 3, 2), u.w(2, 2, 3, 2)))
			_, cost = u.mse(along(gorgonia.SoftMax, 2, z))
			return z, cost
		}},
		{name: "sparsemax", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Sparsemax(must(gorgonia.Mul(u.x(3, 2), u.w(2, 4))))))
		}},
	}
}

func slicings() []pattern {
	s := gorgonia.S
	return []pattern{
		{name: "slice/rows", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Slice(must(gorgonia.Mul(u.x(4, 2), u.w(2, 3))), s(1, 3))))
		}},
		{name: "slice/columns", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Slice(must(gorgonia.Mul(u.x(4, 2), u.w(2, 5))), nil, s(1, 4))))
		}},
		{name: "slice/a step of a sequence", build: func(u *user) (out, cost *gorgonia.Node) {
			x := must(gorgonia.Slice(u.x(4, 3, 2), nil, s(1)))
			return u.mse(must(gorgonia.Mul(x, u.w(2, 3))))
		}},
		{name: "slice/of a parameter", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Mul(u.x(4, 2), must(gorgonia.Slice(u.w(2, 6), nil, s(2, 5))))))
		}},
		{name: "slice/packed LSTM", build: func(u *user) (out, cost *gorgonia.Node) {
			const hidden = 3
			packed := must(gorgonia.Add(must(gorgonia.Mul(u.x(2, 4), u.w(4, 4*hidden))), must(gorgonia.Mul(u.x(2, hidden), u.w(hidden, 4*hidden)))))
			gate := func(i int) *gorgonia.Node { return must(gorgonia.Slice(packed, nil, s(i*hidden, (i+1)*hidden))) }
			in, forget, open := must(gorgonia.Sigmoid(gate(0))), must(gorgonia.Sigmoid(gate(1))), must(gorgonia.Sigmoid(gate(2)))
			cell := must(gorgonia.Add(must(gorgonia.HadamardProd(forget, u.x(2, hidden))), must(gorgonia.HadamardProd(in, must(gorgonia.Tanh(gate(3)))))))
			return u.mse(must(gorgonia.HadamardProd(open, must(gorgonia.Tanh(cell)))))
		}},
		{name: "slice/parts of a row", build: func(u *user) (out, cost *gorgonia.Node) {
			parts, err := gorgonia.Unconcat(must(gorgonia.Mul(u.x(3, 2), u.w(2, 6))), 1, 3)
			if err != nil {
				panic(err)
			}
			return u.mse(must(gorgonia.HadamardProd(parts[0], parts[2])))
		}},
		{name: "concat/skip connection", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(3, 2)
			h := must(gorgonia.Concat(1, x, must(gorgonia.Tanh(must(gorgonia.Mul(x, u.w(2, 3)))))))
			return u.mse(must(gorgonia.Mul(h, u.w(5, 2))))
		}},
		{name: "broadcast/axis 2 of 4", wrong: "Gorgonia's gradient of broadcasting", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.BroadcastHadamardProd(u.x(2, 3, 4, 3), u.w(2, 3, 1, 3), nil, []byte{2})))
		}},
	}
}

func images() []pattern {
	image := func(u *user) *gorgonia.Node { return must(gorgonia.HadamardProd(u.x(2, 2, 4, 4), u.w(2, 2, 4, 4))) }
	return []pattern{
		{name: "pool/max, padding on one side", wrong: "padding that differs", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.MaxPool2D(image(u), tensor.Shape{2, 2}, []int{1, 0, 0, 1}, []int{2, 2})))
		}},
		{name: "pool/average", wrong: "AveragePool2D", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.AveragePool2D(image(u), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})))
		}},
		{name: "pool/global average", wrong: "has no gradient", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.GlobalAveragePool2D(image(u))))
		}},
		{name: "norm/groups", build: func(u *user) (out, cost *gorgonia.Node) {
			x := must(gorgonia.Mul(u.x(2, 3), u.w(3, 8)))
			return u.mse(must(gorgonia.GroupNorm(must(gorgonia.Reshape(x, tensor.Shape{2, 4, 1, 2})), u.w(1, 4, 1, 1), u.w(1, 4, 1, 1), 2, 4, 1e-2)))
		}},
		{name: "norm/batch of vectors", build: func(u *user) (out, cost *gorgonia.Node) {
			y, _, _, _, err := gorgonia.BatchNorm(must(gorgonia.Mul(u.x(5, 3), u.w(3, 4))), u.w(1, 4), u.w(1, 4), 0.9, 1e-2)
			return u.mse(must(y, err))
		}},
	}
}

func replacedProducts() []pattern {
	return []pattern{
		{name: "unary/log2", wrong: "Log2", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Log2(must(gorgonia.Mul(u.input(.2, 1, 3, 2), u.param(.2, 1, 2, 4))))))
		}},
		{name: "unary/inverse square root", wrong: "InverseSqrt", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.InverseSqrt(must(gorgonia.Mul(u.input(.2, 1, 3, 2), u.param(.2, 1, 2, 4))))))
		}},
		{name: "product/outer", wrong: "OuterProd", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.OuterProd(must(gorgonia.Mul(u.x(3, 2), u.w(2))), u.w(4))))
		}},
		{name: "product/tensordot", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.Tensordot([]int{1, 2}, []int{1, 0}, u.x(3, 4, 2), u.w(2, 4, 5))))
		}},
		{name: "log-sum-exp of Gorgonia", wrong: "LogSumExp", build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.x(3, 2), u.w(2)))
			return y, must(gorgonia.LogSumExp(y, 0))
		}},
		{name: "ctc", build: func(u *user) (out, cost *gorgonia.Node) {
			z := must(gorgonia.HadamardProd(u.x(4, 3, 5), u.w(4, 3, 5)))
			ints := func(v []int, shape ...int) *gorgonia.Node {
				return u.g.AddNode(gorgonia.NewConstant(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
			}
			return z, must(gorgonia.CTCLoss(along(gorgonia.LogSoftMax, 2, z), ints([]int{1, 2, 3, 4, 2, 2}, 3, 2), ints([]int{4, 4, 4}, 3), ints([]int{2, 2, 1}, 3), gorgonia.ReductionSum))
		}},
	}
}
