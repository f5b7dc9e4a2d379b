package graph

import (
	"slices"

	"gorgonia.org/gorgonia"
)

// replaceByIndices takes rows of the array with the axis in first place: along others
// Gorgonia's gradient goes to the wrong elements.
func replaceByIndices(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	axis, x := intField(n, "axis"), operands[0]
	if axis == 0 {
		return nil, nil
	}
	p.note("%s: Gorgonia's ByIndices along an axis other than the first has a wrong gradient in your own machine. The rebuilt passes compute the right one. Transpose first so that the axis is the first one.", describeUse(n))
	there := []int{axis}
	for k := range x.Dims() {
		if k != axis {
			there = append(there, k)
		}
	}
	back := make([]int, len(there))
	for i, k := range there {
		back[k] = i
	}
	rows, err := gorgonia.Transpose(x, slices.Clone(there)...)
	if err != nil {
		return nil, err
	}
	if rows, err = gorgonia.ByIndices(rows, operands[1], 0); err != nil {
		return nil, err
	}
	return gorgonia.Transpose(rows, back...)
}
