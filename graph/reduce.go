package graph

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// reducesWrongly reports whether Gorgonia's Sum, Mean or Max of an array of the given
// shape along the axes is wrong, or ends the program. It reduces one axis after the
// other. Along one that is neither the first nor the last of those that are left it
// takes two elements apart for each place before it: that is right where the places
// are one or the elements two. Over all axes in order it is right.
func reducesWrongly(shape tensor.Shape, axes []int) bool {
	axes = slices.Clone(axes)
	all := len(axes) == shape.Dims() && slices.IsSorted(axes)
	slices.Sort(axes)
	left := slices.Clone(shape)
	for i, k := range axes {
		k -= i
		if 0 < k && k < len(left)-1 && left[1:k].TotalSize() > 1 && left[k] != 2 && !all {
			return true
		}
		left = slices.Delete(left, k, k+1)
	}
	return false
}

const reductionNote = "%s: along axis 2 of 4 and the like Gorgonia's Sum, Mean and Max are wrong in your own machine, or end the program. The rebuilt passes compute the right values. Transpose first so that the axis is the last one."

func replaceSum(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	return reduce(gorgonia.Sum, apoops.Sum, n, operands[0], p)
}

func replaceMax(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	return reduce(gorgonia.Max, apoops.Max, n, operands[0], p)
}

type reduction = func(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error)

// reduce is Gorgonia's Sum or Max of x along the axes of the user's node n, or the
// right one where that is wrong.
func reduce(stock, right reduction, n, x *gorgonia.Node, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axes := f.integers("along")
	if f.err != nil {
		return nil, f.err
	}
	// The user's op is not applied itself: it sorts its axes when it runs.
	if !reducesWrongly(x.Shape(), axes) {
		return stock(x, axes...)
	}
	p.note(reductionNote, describeUse(n))
	return right(x, axes...)
}
