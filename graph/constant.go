package graph

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// constant copies a constant of the user's graph with its value.
//
// A number becomes a constant whose name has its dtype and all of its
// digits, for Gorgonia takes constants of the same name for one. An array becomes an
// input that is bound to its value: Gorgonia compares arrays by how they are
// printed, which leaves out the middle of large ones.
func (r *rebuilder) constant(n *gorgonia.Node) (*gorgonia.Node, error) {
	value, err := gorgonia.CloneValue(n.Value())
	if err != nil {
		return nil, errors.Wrapf(err, "graph: copying constant %s", n.Name())
	}
	array, ok := value.(*tensor.Dense)
	if !ok {
		name := fmt.Sprintf("constant/%v/%v", value.Dtype(), value)
		return r.g.AddNode(gorgonia.NewConstant(value, gorgonia.WithName(name))), nil
	}
	if !RowMajor(array) {
		if array, ok = array.Materialize().(*tensor.Dense); !ok || !RowMajor(array) {
			return nil, errors.Errorf("graph: constant %s is a view or column-major: clone it in row-major order", n.Name())
		}
	}
	// One for all passes of a graph: Gorgonia returns the node that is there.
	name := gorgonia.WithName(fmt.Sprintf("constant/%d", n.ID()))
	m := gorgonia.NewTensor(r.g, array.Dtype(), array.Dims(), gorgonia.WithShape(array.Shape().Clone()...), name)
	if m.Value() != nil {
		return m, nil
	}
	return m, errors.Wrapf(gorgonia.Let(m, array), "graph: binding constant %s", n.Name())
}
