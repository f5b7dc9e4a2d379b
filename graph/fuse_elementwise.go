package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchElementwise finds what is left of arithmetic by element: a∘b, a-b, x², -x and
// an array times a number.
func matchElementwise(f *fuser, n *gorgonia.Node) *fusion {
	if n.IsScalar() {
		return nil
	}
	if x, ok := unary(n, "neg"); ok {
		return timesFusion(x, -1)
	}
	if x, v, ok := timesNumber(n); ok && sameAlike(x, n) {
		return timesFusion(x, v)
	}
	if x, ok := unary(n, "square"); ok {
		return &fusion{gorgonia.Nodes{x}, func(x gorgonia.Nodes) (*gorgonia.Node, error) { return apoops.Product(x[0], x[0]) }}
	}
	for sign, op := range map[string]func(a, b *gorgonia.Node) (*gorgonia.Node, error){"⊙": apoops.Product, "-": apoops.Minus} {
		if a, b, ok := binary(n, sign); ok && sameAlike(a, b) && sameAlike(a, n) {
			return &fusion{gorgonia.Nodes{a, b}, func(x gorgonia.Nodes) (*gorgonia.Node, error) { return op(x[0], x[1]) }}
		}
	}
	return nil
}

func timesFusion(x *gorgonia.Node, factor float64) *fusion {
	return &fusion{gorgonia.Nodes{x}, func(x gorgonia.Nodes) (*gorgonia.Node, error) { return apoops.Times(x[0], factor) }}
}

// matchLeaky finds Gorgonia's LeakyRelu: x∘(x≥0) + (x∘(x<0))·α.
func matchLeaky(f *fuser, n *gorgonia.Node) *fusion {
	above, below, ok := binary(n, "+")
	if !ok || n.IsScalar() || !f.inner(above, 1) || !f.inner(below, 1) {
		return nil
	}
	x := masked(f, above, ">=")
	part, alpha, ok := timesNumber(below)
	if x == nil || !ok || !f.inner(part, 1) || masked(f, part, "<") != x {
		return nil
	}
	return &fusion{gorgonia.Nodes{x}, func(x gorgonia.Nodes) (*gorgonia.Node, error) { return apoops.LeakyReLU(x[0], alpha) }}
}

// masked is x of x∘(x≥0), or of x∘(x<0), by sign; nil where n is no such thing.
func masked(f *fuser, n *gorgonia.Node, sign string) *gorgonia.Node {
	a, b, ok := binary(n, "⊙")
	if !ok {
		return nil
	}
	for _, c := range [2][2]*gorgonia.Node{{a, b}, {b, a}} {
		x, zero, ok := binary(c[1], sign)
		if ok && x == c[0] && isNumber(zero, 0) && f.inner(c[1], 1) {
			return x
		}
	}
	return nil
}
