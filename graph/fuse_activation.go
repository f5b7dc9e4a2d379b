package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchActivation finds an activation, together with the layer before it where
// nothing else reads that.
func matchActivation(f *fuser, n *gorgonia.Node) *fusion {
	act, z, reads := activationOf(f, n)
	if z == nil {
		return nil
	}
	if f.inner(z, reads) {
		if l := f.layer(z); l != nil {
			return l.with(act)
		}
	}
	return &fusion{gorgonia.Nodes{z}, func(x gorgonia.Nodes) (*gorgonia.Node, error) {
		return apoops.Activate(act, x[0])
	}}
}

// activationOf is the activation that n is of z, which it reads so many times; z is
// nil where it is none.
func activationOf(f *fuser, n *gorgonia.Node) (act apoops.Activation, z *gorgonia.Node, reads int) {
	if n.IsScalar() {
		return 0, nil, 0
	}
	if z, ok := unary(n, "sigmoid"); ok {
		return apoops.SigmoidAct, z, 1
	}
	if z, ok := unary(n, "tanh"); ok {
		return apoops.TanhAct, z, 1
	}
	if a, b, ok := binary(n, "⊙"); ok {
		if act, ok := rectifier(f, a, b); ok {
			return act, a, 2
		}
		if act, ok := rectifier(f, b, a); ok {
			return act, b, 2
		}
	}
	return 0, nil, 0
}

// rectifier tells whether mask is z ≥ 0, as Gorgonia's Rectify has it, or z > 0.
func rectifier(f *fuser, z, mask *gorgonia.Node) (apoops.Activation, bool) {
	for sign, act := range map[string]apoops.Activation{">=": apoops.RectifyAct, ">": apoops.ReLUAct} {
		if a, zero, ok := binary(mask, sign); ok && a == z && f.inner(mask, 1) {
			v, known := number(zero)
			return act, known && v == 0
		}
	}
	return 0, false
}
