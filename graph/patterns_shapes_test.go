package graph_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() { tables = append(tables, shapes(), products(), lookups(), sharing()) }

// of is a row with a function of an array of weights and inputs of the given shape.
func of(name string, f unary, shape ...int) pattern {
	return pattern{name: name, build: func(u *user) (out, cost *gorgonia.Node) {
		return u.mse(must(f(must(gorgonia.HadamardProd(u.w(shape...), u.x(shape...))))))
	}}
}

func shapes() []pattern {
	var rows []pattern
	for from, to := range map[*tensor.Shape]tensor.Shape{{2, 3}: {3, 2}, {6}: {2, 3}, {2, 3, 2}: {6, 2}, {2, 2, 3, 2}: {4, 6}, {4, 6}: {2, 2, 3, 2}, {2, 6}: {2, -1}} {
		rows = append(rows, of(fmt.Sprintf("reshape/%v to %v", *from, to), func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Reshape(must(gorgonia.Tanh(n)), to.Clone())
		}, *from...))
		rows[len(rows)-1].wrong = "shares memory"
	}
	for _, axes := range [][]int{{1, 0}, {0, 2, 1}, {2, 0, 1}, {1, 0, 2}, {2, 1, 0}, {0, 2, 3, 1}, {0, 3, 1, 2}, {3, 2, 1, 0}} {
		shape := []int{2, 3, 2, 4}[:len(axes)]
		rows = append(rows, of(fmt.Sprintf("transpose/%v", axes), func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Transpose(must(gorgonia.Tanh(n)), axes...)
		}, shape...))
	}
	for axis := range 3 {
		rows = append(rows, of(fmt.Sprintf("concat/axis %d", axis), func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Concat(axis, n, must(gorgonia.Tanh(n)), n)
		}, 2, 3, 2))
	}
	for axis := range 2 {
		rows = append(rows, of(fmt.Sprintf("concat/matrix, axis %d", axis), func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Concat(axis, n, must(gorgonia.Tanh(n)))
		}, 2, 3))
	}
	return append(rows,
		of("ravel", gorgonia.Ravel, 2, 3),
		of("reshape/of a transpose", func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Reshape(must(gorgonia.Transpose(n)), tensor.Shape{2, 3})
		}, 2, 3),
		of("reshape/before an op in place", func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Add(must(gorgonia.Reshape(n, tensor.Shape{3, 2})), must(gorgonia.Reshape(n, tensor.Shape{3, 2})))
		}, 2, 3),
		of("keep dims", func(n *gorgonia.Node) (*gorgonia.Node, error) {
			mean, err := gorgonia.KeepDims(n, false, func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Mean(n, 1) })
			return gorgonia.BroadcastSub(n, must(mean, err), nil, []byte{1})
		}, 2, 3),
		of("concat/vectors", func(n *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Concat(0, n, must(gorgonia.Tanh(n)))
		}, 3),
		of("upsample", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Upsample2D(n, 2) }, 1, 2, 2, 3),
		pattern{name: "reshape/of a weight", build: func(u *user) (out, cost *gorgonia.Node) {
			w := must(gorgonia.Reshape(u.w(6), tensor.Shape{2, 3}))
			return u.mse(must(gorgonia.Mul(u.x(4, 2), w)))
		}},
	)
}

// products are those of linear algebra.
func products() []pattern {
	of2 := func(name string, f binary, x, w []int) pattern {
		return pattern{name: "product/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(f(u.x(x...), must(gorgonia.Tanh(u.w(w...))))))
		}}
	}
	batched := func(transposed ...bool) binary {
		return func(a, b *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.BatchedMatMul(a, b, transposed...) }
	}
	dot := func(a, b int) binary {
		return func(x, w *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Tensordot([]int{a}, []int{b}, x, w) }
	}
	return []pattern{
		of2("matrices", gorgonia.Mul, []int{3, 2}, []int{2, 4}),
		of2("matrix and vector", gorgonia.Mul, []int{3, 2}, []int{2}),
		of2("vector and matrix", gorgonia.Mul, []int{3}, []int{3, 2}),
		of2("vectors", gorgonia.Mul, []int{3}, []int{3}),
		of2("weights first", func(x, w *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Mul(w, x) }, []int{3, 2}, []int{2, 3}),
		of2("transposed weights", func(x, w *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Mul(x, must(gorgonia.Transpose(w)))
		}, []int{3, 2}, []int{4, 2}),
		of2("batched", batched(), []int{2, 3, 2}, []int{2, 2, 4}),
		of2("batched, first transposed", batched(true), []int{2, 2, 3}, []int{2, 2, 4}),
		of2("batched, second transposed", batched(false, true), []int{2, 3, 2}, []int{2, 4, 2}),
		of2("batched, both transposed", batched(true, true), []int{2, 2, 3}, []int{2, 4, 2}),
		of2("batched 4-D", batched(), []int{2, 2, 3, 2}, []int{2, 2, 2, 3}),
		of2("tensordot of a matrix", dot(1, 0), []int{3, 2}, []int{2, 4}),
		of2("tensordot of rows", dot(1, 1), []int{3, 2}, []int{4, 2}),
	}
}

// lookups take rows by number and by one-hot products.
func lookups() []pattern {
	indices := func(u *user, i ...int) *gorgonia.Node {
		v := tensor.New(tensor.WithShape(len(i)), tensor.WithBacking(i))
		n := gorgonia.NewVector(u.g, tensor.Int, gorgonia.WithShape(len(i)), gorgonia.WithName("indices"), gorgonia.WithValue(v))
		u.problem.Inputs, u.batch.X = append(u.problem.Inputs, n), append(u.batch.X, v)
		return n
	}
	return []pattern{
		{name: "embedding/by indices", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.ByIndices(must(gorgonia.Tanh(u.w(4, 2))), indices(u, 2, 0, 2), 0)))
		}},
		{name: "embedding/by indices of a weight", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.ByIndices(u.w(4, 2), indices(u, 2, 0, 2), 0)))
		}},
		{name: "embedding/3-D by indices", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.ByIndices(must(gorgonia.Tanh(u.w(4, 2, 3))), indices(u, 3, 1, 3), 0)))
		}},
		{name: "embedding/last of 3-D by indices", wrong: "ByIndices", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.ByIndices(must(gorgonia.Tanh(u.w(2, 2, 4))), indices(u, 3, 1, 3), 2)))
		}},
		{name: "embedding/columns by indices", wrong: "ByIndices", build: func(u *user) (out, cost *gorgonia.Node) {
			return u.mse(must(gorgonia.ByIndices(must(gorgonia.Tanh(u.w(2, 4))), indices(u, 3, 1), 1)))
		}},
		{name: "embedding/by one-hot product", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(3, 4)
			v := u.batch.X[0]
			for i := range 12 {
				u.set(v, i, 0)
			}
			for row, class := range []int{2, 0, 2} {
				u.set(v, row*4+class, 1)
			}
			return u.mse(must(gorgonia.Mul(must(gorgonia.Tanh(must(gorgonia.Mul(x, u.w(4, 2))))), u.w(2, 2))))
		}},
	}
}

// sharing uses nodes more than once.
func sharing() []pattern {
	return []pattern{
		{name: "sharing/weights in two places", build: func(u *user) (out, cost *gorgonia.Node) {
			w := u.w(2, 2)
			return u.mse(must(gorgonia.Mul(must(gorgonia.Tanh(must(gorgonia.Mul(u.x(3, 2), w)))), w)))
		}},
		{name: "sharing/trunk with two heads", build: func(u *user) (out, cost *gorgonia.Node) {
			trunk := must(gorgonia.Tanh(must(gorgonia.Mul(u.x(3, 2), u.w(2, 3)))))
			policy, one := u.mse(must(gorgonia.Mul(trunk, u.w(3, 4))))
			_, two := u.mse(must(gorgonia.Tanh(must(gorgonia.Mul(trunk, u.w(3, 1))))))
			return policy, must(gorgonia.Add(one, two))
		}},
		{name: "sharing/residual", build: func(u *user) (out, cost *gorgonia.Node) {
			h := must(gorgonia.Mul(u.x(3, 2), u.w(2, 2)))
			return u.mse(must(gorgonia.Add(h, must(gorgonia.Tanh(must(gorgonia.Mul(h, u.w(2, 2))))))))
		}},
		{name: "sharing/autoencoder with tied weights", build: func(u *user) (out, cost *gorgonia.Node) {
			w := u.w(3, 2)
			h := must(gorgonia.Sigmoid(must(gorgonia.Mul(u.x(4, 3), w))))
			return u.mse(must(gorgonia.Mul(h, must(gorgonia.Transpose(w)))))
		}},
		{name: "sharing/output is an inner node", build: func(u *user) (out, cost *gorgonia.Node) {
			out = must(gorgonia.Mul(u.x(3, 2), u.w(2, 2)))
			_, cost = u.mse(must(gorgonia.Sigmoid(out)))
			return out, cost
		}},
		{name: "sharing/an unused leaf and an unused node", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(3, 2)
			gorgonia.NewMatrix(u.g, u.dt, gorgonia.WithName("unused"), gorgonia.WithShape(2, 2), gorgonia.WithInit(gorgonia.Zeroes()))
			h := must(gorgonia.Mul(x, u.w(2, 2)))
			must(gorgonia.Exp(h))
			return u.mse(h)
		}},
	}
}
