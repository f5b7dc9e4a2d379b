package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// fusedLayer is a fusion that takes an activation along.
type fusedLayer struct {
	operands gorgonia.Nodes
	build    func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error)
}

func (l *fusedLayer) with(act apoops.Activation) *fusion {
	return &fusion{l.operands, func(x gorgonia.Nodes) (*gorgonia.Node, error) { return l.build(x, act) }}
}

// matchLayer finds a layer without an activation behind it.
func matchLayer(f *fuser, n *gorgonia.Node) *fusion {
	if l := f.layer(n); l != nil {
		return l.with(apoops.Identity)
	}
	return nil
}

// layer finds the layer whose last node n is; nil where it is none.
func (f *fuser) layer(n *gorgonia.Node) *fusedLayer {
	for _, match := range []func(f *fuser, n *gorgonia.Node) *fusedLayer{matchNorm, matchConv, matchDense, matchSum} {
		if l := match(f, n); l != nil {
			return l
		}
	}
	return nil
}

// matchSum finds the sum of two arrays of one shape.
func matchSum(f *fuser, n *gorgonia.Node) *fusedLayer {
	a, b, ok := binary(n, "+")
	if !ok || !sameAlike(a, b) || !sameAlike(a, n) {
		return nil
	}
	return &fusedLayer{gorgonia.Nodes{a, b}, func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
		return apoops.AddActivate(x[0], x[1], act)
	}}
}

// plusBias takes the sum n of a layer's result and its bias apart: y, which nothing
// else reads, and the bias, whose elements count off the channels, axis 1 of y. Where
// n is no such sum, y is n itself and bias is nil.
func plusBias(f *fuser, n *gorgonia.Node, known func(y *gorgonia.Node) bool) (y, bias *gorgonia.Node) {
	a, b, ok := binary(n, "+")
	if !ok {
		return n, nil
	}
	for _, c := range [2][2]*gorgonia.Node{{a, b}, {b, a}} {
		if v := channelwise(f, c[1]); v != nil && sameAlike(c[0], n) && f.inner(c[0], 1) && known(c[0]) {
			return c[0], v
		}
	}
	return n, nil
}

// channelwise is the array, of as many elements as axis 1 of n is long, that n
// repeats along all other axes; nil where n is no such thing.
func channelwise(f *fuser, n *gorgonia.Node) *gorgonia.Node {
	shape := n.Shape()
	if shape.Dims() < 2 {
		return nil
	}
	base := n
	for f.open(base) && typeName(base.Op()) == "repeatOp" {
		base = children(base)[0]
	}
	if s := base.Shape(); s.Dims() != shape.Dims() || s[1] != shape[1] || s.TotalSize() != s[1] {
		return nil
	}
	if v, ok := operand(base, "reshapeOp"); ok && f.open(base) {
		return v
	}
	return base
}
