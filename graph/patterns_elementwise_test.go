package graph_test

import (
	"gorgonia.org/gorgonia"
)

func init() { tables = append(tables, unaries()) }

// unaries are the element-wise functions of one operand, of a product x·W.
func unaries() []pattern {
	type function = func(*gorgonia.Node) (*gorgonia.Node, error)
	var rows []pattern
	add := func(name string, f function, lo, hi float64) {
		rows = append(rows, pattern{name: "unary/" + name, build: func(u *user) (out, cost *gorgonia.Node) {
			x := u.input(0.2, 1, 3, 2)
			return u.mse(must(f(must(gorgonia.Mul(x, u.param(lo, hi, 2, 2))))))
		}})
	}
	add("abs", gorgonia.Abs, -1, 1)
	add("sign", func(n *gorgonia.Node) (*gorgonia.Node, error) {
		return gorgonia.HadamardProd(n, must(gorgonia.Sign(n)))
	}, -1, -.2)
	add("sin", gorgonia.Sin, -1, 1)
	add("cos", gorgonia.Cos, -1, 1)
	add("exp", gorgonia.Exp, -1, 1)
	add("log", gorgonia.Log, 0.2, 1)
	add("neg", gorgonia.Neg, -1, 1)
	add("square", gorgonia.Square, -1, 1)
	add("sqrt", gorgonia.Sqrt, 0.2, 1)
	add("inverse", gorgonia.Inverse, 0.2, 1)
	add("cube", gorgonia.Cube, -1, 1)
	add("tanh", gorgonia.Tanh, -1, 1)
	add("sigmoid", gorgonia.Sigmoid, -1, 1)
	add("log1p", gorgonia.Log1p, 0.2, 1)
	add("expm1", gorgonia.Expm1, -1, 1)
	add("softplus", gorgonia.Softplus, -1, 1)
	add("rectify", gorgonia.Rectify, 0.1, 1)
	add("mish", gorgonia.Mish, -1, 1)
	add("leakyRelu", func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.LeakyRelu(n, 0.1) }, -1, 1)
	return rows
}
