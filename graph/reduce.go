package graph

import (
	"reflect"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// reducesWrongly tells whether Gorgonia's Sum, Mean or Max of an array of the given
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

// axesOf are the axes of one of Gorgonia's reductions. Its op is not applied itself:
// it sorts its axes when it runs, and they are the user's.
func axesOf(op gorgonia.Op) []int {
	along := reflect.Indirect(reflect.ValueOf(op)).FieldByName("along")
	axes := make([]int, along.Len())
	for i := range axes {
		axes[i] = int(along.Index(i).Int())
	}
	return axes
}

func replaceSum(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	return reduce(gorgonia.Sum, n, operands[0], p)
}

func replaceMax(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	return reduce(gorgonia.Max, n, operands[0], p)
}

// reduce is f, Sum or Max, of x along the axes of the user's node n. Where Gorgonia
// is wrong it takes one axis after the other, the last first, as the middle one of
// three.
func reduce(f func(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error), n, x *gorgonia.Node, p *Pass) (*gorgonia.Node, error) {
	axes, shape := axesOf(n.Op()), x.Shape()
	if !reducesWrongly(shape, axes) {
		return f(x, axes...)
	}
	p.note(reductionNote, describeUse(n))
	slices.Sort(axes)
	for _, k := range slices.Backward(axes) {
		before, after := shape[:k].TotalSize(), shape[k+1:].TotalSize()
		y, err := apoops.Reshape(x, before, shape[k], after)
		if err != nil {
			return nil, err
		}
		if x, err = f(y, 1); err != nil {
			return nil, err
		}
		shape = slices.Delete(slices.Clone(shape), k, k+1)
	}
	return apoops.Reshape(x, n.Shape()...)
}
