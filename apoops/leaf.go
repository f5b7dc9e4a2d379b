package apoops

import "gorgonia.org/gorgonia"

// leaf is embedded by kernels that are gradients: they are not differentiated
// again.
type leaf[T Float] struct{}

func (leaf[T]) wrt() []bool { return nil }

func (leaf[T]) grad(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errNoSecondDerivative
}
