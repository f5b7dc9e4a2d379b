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
	// As Gorgonia's Rectify has it, or with the other derivative at 0.
	if z := masked(f, n, ">="); z != nil {
		return apoops.RectifyAct, z, 2
	}
	if z := masked(f, n, ">"); z != nil {
		return apoops.ReLUAct, z, 2
	}
	return 0, nil, 0
}
