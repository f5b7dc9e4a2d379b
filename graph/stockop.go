package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// binary are the operands of Gorgonia's element-wise op of that sign, such as "+"
// or "⊙"; comparisons are meant in the form that returns numbers.
func binary(n *gorgonia.Node, sign string) (a, b *gorgonia.Node, ok bool) {
	if n.Op() == nil || typeName(n.Op()) != "elemBinOp" {
		return nil, nil, false
	}
	numeric := "false"
	if sign[0] == '<' || sign[0] == '>' {
		numeric = "true"
	}
	if fmt.Sprint(n.Op()) != sign+" "+numeric {
		return nil, nil, false
	}
	c := children(n)
	return c[0], c[1], true
}

// unary is the operand of Gorgonia's element-wise function of that name, such as
// "sigmoid".
func unary(n *gorgonia.Node, name string) (*gorgonia.Node, bool) {
	if n.Op() == nil || typeName(n.Op()) != "elemUnaryOp" || fmt.Sprint(n.Op()) != name {
		return nil, false
	}
	return children(n)[0], true
}

// operand is the first operand of Gorgonia's op of that type.
func operand(n *gorgonia.Node, typ string) (*gorgonia.Node, bool) {
	if n.Op() == nil || typeName(n.Op()) != typ {
		return nil, false
	}
	return children(n)[0], true
}

// number is a scalar that is known when the graph is made: a constant, a size, or
// what arithmetic makes of such.
func number(n *gorgonia.Node) (float64, bool) {
	if n.Op() == nil || !n.IsScalar() {
		return 0, false
	}
	switch typeName(n.Op()) {
	case "constantScalar":
		v, err := ScalarValue(n.Value())
		return v, err == nil
	case "sizeOp":
		return sizeOf(n)
	}
	if a, ok := unary(n, "neg"); ok {
		v, ok := number(a)
		return -v, ok
	}
	for sign, apply := range arithmetic {
		if a, b, ok := binary(n, sign); ok {
			v, okA := number(a)
			w, okB := number(b)
			return apply(v, w), okA && okB
		}
	}
	return 0, false
}

func isNumber(n *gorgonia.Node, want float64) bool {
	v, known := number(n)
	return known && v == want
}

var arithmetic = map[string]func(a, b float64) float64{
	"+": func(a, b float64) float64 { return a + b },
	"-": func(a, b float64) float64 { return a - b },
	"⊙": func(a, b float64) float64 { return a * b },
	"÷": func(a, b float64) float64 { return a / b },
}

// sizeOf is what a sizeOp returns.
func sizeOf(n *gorgonia.Node) (float64, bool) {
	s, shape := fieldsOf(n.Op()), children(n)[0].Shape()
	axis := s.integer("axis")
	switch {
	case s.err != nil:
		return 0, false
	case axis < shape.Dims():
		return float64(shape[axis]), true
	}
	return 1, true
}

// sameAlike reports whether two arrays have one dtype and one shape.
func sameAlike(a, b *gorgonia.Node) bool {
	return a.Dtype() == b.Dtype() && !a.IsScalar() && slices.Equal(a.Shape(), b.Shape())
}

// shapeIs compares shapes axis by axis: tensor.Shape.Eq takes (1, 3) for (3).
func shapeIs(n *gorgonia.Node, shape ...int) bool { return slices.Equal(n.Shape(), shape) }

// isProduct reports whether n is Gorgonia's product of two matrices in that form.
func isProduct(n *gorgonia.Node, form string) bool {
	return n.Op() != nil && typeName(n.Op()) == "linAlgBinOp" && describeOp(n) == form
}

func describeOp(n *gorgonia.Node) string { return fmt.Sprint(n.Op()) }
