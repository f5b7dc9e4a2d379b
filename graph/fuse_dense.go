package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchDense finds x·W for matrices, with or without a bias for each column.
func matchDense(f *fuser, n *gorgonia.Node) *fusedLayer {
	known := func(y *gorgonia.Node) bool { x, _ := product(f, y); return x != nil }
	y, bias := plusBias(f, n, known)
	x, w := product(f, y)
	switch {
	case x == nil:
		return nil
	case bias == nil:
		return &fusedLayer{gorgonia.Nodes{x, w}, func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
			return apoops.Linear(x[0], x[1], act)
		}}
	}
	return &fusedLayer{gorgonia.Nodes{x, w, bias}, func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
		return apoops.Affine(x[0], x[1], x[2], act)
	}}
}

// product are the factors of the product y; x is nil where it is none.
func product(f *fuser, y *gorgonia.Node) (x, w *gorgonia.Node) {
	if !isProduct(y, "A × B") || y.Dims() != 2 {
		return nil, nil
	}
	c := children(y)
	if c[0].Dims() != 2 || c[1].Dims() != 2 || f.isParameter(c[0]) {
		return nil, nil
	}
	return c[0], c[1]
}
