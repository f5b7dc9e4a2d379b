package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// replaceSlice copies: Gorgonia compares ranges by their last eight bits alone.
func replaceSlice(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axis := f.integer("along")
	op, ok := n.Op().(interface{ IsSlice() tensor.Slice })
	if !ok {
		f.fail("Slice")
	}
	if f.err != nil {
		return nil, f.err
	}
	x, s := operands[0], op.IsSlice()
	if s == nil || s.End() <= s.Start() {
		return apoops.Reshape(x, n.Shape()...)
	}
	before := tensor.Shape(x.Shape()[:axis]).TotalSize()
	after := tensor.Shape(x.Shape()[axis+1:]).TotalSize()
	count := n.Shape().TotalSize() / max(before*after, 1)
	if mayBeMerged(s, x.Shape()[axis]) && len(p.readers[n]) > 1 {
		p.note("%s is read in several places. Gorgonia takes slices of one array whose ranges agree modulo 256 for one, such as [0:128] and [256:384]: if your program has such slices, your own machine and the rebuilt passes use one of them for all. Slice the parts of separate arrays, or use apoops.Slice.", describeUse(n))
	}
	return apoops.Slice(x, axis, s.Start(), max(s.Step(), 1), count, n.Shape()...)
}

// mayBeMerged reports whether an axis of the given length has another range that
// Gorgonia takes for s.
func mayBeMerged(s tensor.Slice, length int) bool {
	return s.Start() >= 256 || s.End()+256 <= length
}

// replaceAt has a gradient; Gorgonia's has none.
func replaceAt(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	index, shape := f.integers("coordinates"), operands[0].Shape()
	if f.err != nil {
		return nil, f.err
	}
	if len(index) != len(shape) {
		return nil, errors.Errorf("%d coordinates in an array of shape %v", len(index), shape)
	}
	p.noteNoGradient(n, "At")
	place := 0
	for axis, i := range index {
		if i < 0 || i >= shape[axis] {
			return nil, errors.Errorf("coordinates %v in an array of shape %v", index, shape)
		}
		place = place*shape[axis] + i
	}
	x, err := apoops.Reshape(operands[0], shape.TotalSize())
	if err != nil {
		return nil, err
	}
	return apoops.Slice(x, 0, place, 1, 1)
}
