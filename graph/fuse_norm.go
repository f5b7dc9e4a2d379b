package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchNorm finds Gorgonia's BatchNorm with its scale and bias.
func matchNorm(f *fuser, n *gorgonia.Node) *fusedLayer {
	known := func(y *gorgonia.Node) bool { norm, _ := scaledNorm(f, y); return norm != nil }
	y, bias := plusBias(f, n, known)
	if bias == nil {
		return nil
	}
	norm, scale := scaledNorm(f, y)
	return &fusedLayer{gorgonia.Nodes{children(norm)[0], scale, bias}, func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
		channels := x[0].Shape()[1]
		for i, v := range x[1:] {
			if shapeIs(v, channels) {
				continue
			}
			var err error
			if x[1+i], err = apoops.Reshape(v, channels); err != nil {
				return nil, err
			}
		}
		return f.pass.normalize(norm, x[0], x[1], x[2], act)
	}}
}

// scaledNorm takes scale ∘ norm(x) apart; norm is nil where y is no such thing.
func scaledNorm(f *fuser, y *gorgonia.Node) (norm, scale *gorgonia.Node) {
	a, b, ok := binary(y, "⊙")
	if !ok {
		return nil, nil
	}
	for _, c := range [2][2]*gorgonia.Node{{a, b}, {b, a}} {
		x, ok := operand(c[1], "BatchNormOp")
		if ok && f.inner(c[1], 1) && !f.isParameter(x) && sameAlike(c[1], y) {
			if scale := channelwise(f, c[0]); scale != nil {
				return c[1], scale
			}
		}
	}
	return nil, nil
}
