package graph_test

import "gorgonia.org/gorgonia"

func init() {
	tables = append(tables, unaries(), binaries(), comparisons(), broadcasts())
}

type (
	unary  = func(*gorgonia.Node) (*gorgonia.Node, error)
	binary = func(a, b *gorgonia.Node) (*gorgonia.Node, error)
)

// unaries are the element-wise functions of one operand, of a product x·W.
func unaries() []pattern {
	var rows []pattern
	add := func(name string, f unary, lo, hi float64) {
		rows = append(rows, pattern{name: "unary/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.input(0.2, 1, 3, 2)
			return u.mse(must(f(must(gorgonia.Mul(x, u.param(lo, hi, 2, 2))))))
		}})
	}
	add("abs", gorgonia.Abs, -1, 1)
	add("sign", func(n *gorgonia.Node) (*gorgonia.Node, error) {
		return gorgonia.HadamardProd(n, must(gorgonia.Sign(n)))
	}, -1, -.2)
	add("ceil", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Add(n, must(gorgonia.Ceil(n))) }, .21, .23)
	add("floor", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Sub(n, must(gorgonia.Floor(n))) }, .21, .23)
	add("sin", gorgonia.Sin, -1, 1)
	add("cos", gorgonia.Cos, -1, 1)
	add("exp", gorgonia.Exp, -1, 1)
	add("log", gorgonia.Log, 0.2, 1)
	add("neg", gorgonia.Neg, -1, 1)
	add("neg neg", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Neg(must(gorgonia.Neg(n))) }, -1, 1)
	add("square", gorgonia.Square, -1, 1)
	add("sqrt", gorgonia.Sqrt, 0.2, 1)
	add("inverse", gorgonia.Inverse, 0.2, 1)
	add("cube", gorgonia.Cube, -1, 1)
	add("tanh", gorgonia.Tanh, -1, 1)
	add("sigmoid", gorgonia.Sigmoid, -1, 1)
	add("log sigmoid", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Log(must(gorgonia.Sigmoid(n))) }, -1, 1)
	add("log1p", gorgonia.Log1p, 0.2, 1)
	add("log1p exp", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Log1p(must(gorgonia.Exp(n))) }, -1, 1)
	add("expm1", gorgonia.Expm1, -1, 1)
	add("softplus", gorgonia.Softplus, -1, 1)
	add("rectify", gorgonia.Rectify, 0.1, 1)
	add("rectify below 0", gorgonia.Rectify, -1, 1)
	add("mish", gorgonia.Mish, -1, 1)
	add("leakyRelu", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.LeakyRelu(n, 0.1) }, -1, 1)
	return rows
}

// binaries are the element-wise functions of two operands: two arrays, both with
// weights, an array and a number on either side, two numbers.
func binaries() []pattern {
	var rows []pattern
	add := func(name string, f binary) {
		rows = append(rows,
			pattern{name: "binary/" + name + "/arrays", build: func(u *user) (out, cost *gorgonia.Node) {
				a, b := u.param(0.2, 1, 3, 2), u.param(0.3, 1.5, 3, 2)
				return u.mse(must(f(must(gorgonia.HadamardProd(a, u.input(.5, 1, 3, 2))), b)))
			}},
			pattern{name: "binary/" + name + "/array and itself", build: func(u *user) (out, cost *gorgonia.Node) {
				a := must(gorgonia.Mul(u.input(.5, 1, 3, 2), u.param(0.2, 1, 2, 2)))
				return u.mse(must(f(a, a)))
			}},
			pattern{name: "binary/" + name + "/array and number", build: func(u *user) (out, cost *gorgonia.Node) {
				a, b := u.param(0.2, 1, 2, 2), u.param(0.3, 1.5)
				return u.mse(must(f(must(gorgonia.Mul(u.input(.5, 1, 3, 2), a)), b)))
			}},
			pattern{name: "binary/" + name + "/number and array", build: func(u *user) (out, cost *gorgonia.Node) {
				a, b := u.param(0.2, 1, 2, 2), u.param(0.3, 1.5)
				return u.mse(must(f(b, must(gorgonia.Mul(u.input(.5, 1, 3, 2), a)))))
			}},
			pattern{name: "binary/" + name + "/numbers", build: func(u *user) (out, cost *gorgonia.Node) {
				a, b := u.param(0.2, 1), u.param(0.3, 1.5)
				y := must(f(must(gorgonia.Mul(u.input(.5, 1), a)), b))
				return y, must(gorgonia.Square(must(gorgonia.Sub(y, u.y()))))
			}},
			pattern{name: "binary/" + name + "/constant first", build: func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(must(f(u.num(1.7), must(gorgonia.Mul(u.input(.5, 1, 3, 2), u.param(0.2, 1, 2, 2))))))
			}},
			pattern{name: "binary/" + name + "/constant second", build: func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(must(f(must(gorgonia.Mul(u.input(.5, 1, 3, 2), u.param(0.2, 1, 2, 2))), u.num(1.7))))
			}},
			pattern{name: "binary/" + name + "/constant array first", build: func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(must(f(u.array(.2, 1, 3, 2), must(gorgonia.Mul(u.input(.5, 1, 3, 2), u.param(0.2, 1, 2, 2))))))
			}},
			pattern{name: "binary/" + name + "/constant array second", build: func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(must(f(must(gorgonia.Mul(u.input(.5, 1, 3, 2), u.param(0.2, 1, 2, 2))), u.array(.2, 1, 3, 2))))
			}},
		)
	}
	add("add", gorgonia.Add)
	add("sub", gorgonia.Sub)
	add("product", gorgonia.HadamardProd)
	add("quotient", gorgonia.HadamardDiv)
	add("pow", gorgonia.Pow)
	for i, name := range []string{"square", "cube", "inverse", "identity", "fourth", "half"} {
		rows = append(rows, pattern{name: "binary/pow/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.input(.5, 1, 3, 2), u.param(0.2, 1, 2, 2)))
			return u.mse(must(gorgonia.Pow(y, u.num([]float64{2, 3, -1, 1, 4, .5}[i]))))
		}})
	}
	return rows
}

// comparisons pick elements by masks of the graph's dtype, and of two arrays the
// larger or smaller.
func comparisons() []pattern {
	var rows []pattern
	for name, f := range map[string]func(a, b *gorgonia.Node, retSame bool) (*gorgonia.Node, error){
		"lt": gorgonia.Lt, "gt": gorgonia.Gt, "lte": gorgonia.Lte, "gte": gorgonia.Gte, "eq": gorgonia.Eq, "ne": gorgonia.Ne,
	} {
		rows = append(rows, pattern{name: "comparison/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.x(3, 2), u.w(2, 2)))
			mask := must(f(y, u.num(0.01), true))
			return u.mse(must(gorgonia.Add(must(gorgonia.HadamardProd(y, mask)), must(gorgonia.Tanh(y)))))
		}})
	}
	for name, f := range map[string]binary{"min": gorgonia.MinBetween, "max": gorgonia.MaxBetween} {
		rows = append(rows, pattern{name: "comparison/" + name + " of arrays", build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.x(3, 2)
			return u.mse(must(f(must(gorgonia.Mul(x, u.w(2, 2))), must(gorgonia.Mul(x, u.w(2, 2))))))
		}})
	}
	return rows
}

// broadcasts repeat one operand along axes of the other.
func broadcasts() []pattern {
	type broadcast = func(a, b *gorgonia.Node, left, right []byte) (*gorgonia.Node, error)
	var rows []pattern
	add := func(name string, a, b []int, left, right []byte, f broadcast) {
		rows = append(rows, pattern{name: "broadcast/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.HadamardProd(u.param(.5, 1.5, a...), u.input(.5, 1, a...)))
			return u.mse(must(f(y, u.param(.5, 1.5, b...), left, right)))
		}})
	}
	for name, f := range map[string]broadcast{
		"add": gorgonia.BroadcastAdd, "sub": gorgonia.BroadcastSub, "product": gorgonia.BroadcastHadamardProd,
		"quotient": gorgonia.BroadcastHadamardDiv, "pow": gorgonia.BroadcastPow,
	} {
		add(name+"/row", []int{3, 2}, []int{1, 2}, nil, []byte{0}, f)
		add(name+"/column", []int{3, 2}, []int{3, 1}, nil, []byte{1}, f)
		add(name+"/left", []int{1, 2}, []int{3, 2}, []byte{0}, nil, f)
		add(name+"/channels", []int{2, 3, 2, 2}, []int{1, 3, 1, 1}, nil, []byte{0, 2, 3}, f)
	}
	add("vector over rows", []int{3, 2}, []int{2}, nil, []byte{0}, gorgonia.BroadcastAdd)
	add("vector over columns", []int{3, 2}, []int{3}, nil, []byte{1}, gorgonia.BroadcastAdd)
	add("3-D", []int{2, 3, 2}, []int{1, 3, 1}, nil, []byte{0, 2}, gorgonia.BroadcastHadamardProd)
	add("last of 3-D", []int{2, 3, 2}, []int{2, 3, 1}, nil, []byte{2}, gorgonia.BroadcastHadamardDiv)
	rows = append(rows, pattern{name: "broadcast/auto", build: func(u *user) (out, cost *gorgonia.Node) {
		y := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
		return u.mse(must(gorgonia.Auto(gorgonia.BroadcastAdd, y, u.w(1, 4))))
	}})
	for name, f := range map[string]func(a, b *gorgonia.Node, retSame bool, left, right []byte) (*gorgonia.Node, error){
		"lt": gorgonia.BroadcastLt, "gt": gorgonia.BroadcastGt, "gte": gorgonia.BroadcastGte, "lte": gorgonia.BroadcastLte,
	} {
		rows = append(rows, pattern{name: "broadcast/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			return u.mse(must(gorgonia.HadamardProd(y, must(f(y, u.x(1, 4), true, nil, []byte{0})))))
		}})
	}
	return rows
}
