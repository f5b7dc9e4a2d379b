package graph

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// replaceRepeat replaces the repetition that broadcasting is made of where its
// gradient, Gorgonia's sum along the axis, is wrong.
func replaceRepeat(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axis := f.integer("along")
	if f.err != nil {
		return nil, f.err
	}
	shape := p.shapeOfGradient(n)
	if !reducesWrongly(shape, []int{axis}) {
		return nil, nil
	}
	p.note("%s: Gorgonia's gradient of broadcasting along axis %d of shape %v is wrong in your own machine, or ends the program there. The rebuilt passes compute the right one. apoops.Repeat is right in both.", describeUse(n), axis, shape)
	return apoops.Repeat(operands[0], axis, n.Shape()...)
}

// shapeOfGradient is that of the gradient by a repetition n in Gorgonia: the
// repetitions behind it, along later axes, have taken their axes away.
func (p *Pass) shapeOfGradient(n *gorgonia.Node) tensor.Shape {
	var gone []int
	last := n
	for readers := p.readers[n]; len(readers) == 1 && typeName(readers[0].Op()) == "repeatOp" && children(readers[0])[0] == last; readers = p.readers[last] {
		last = readers[0]
		gone = append(gone, fieldsOf(last.Op()).integer("along"))
	}
	var shape tensor.Shape
	for axis, length := range last.Shape() {
		if !slices.Contains(gone, axis) {
			shape = append(shape, length)
		}
	}
	return shape
}

// replaceConcat cuts its gradient right: Gorgonia takes parts for one where their
// ranges agree modulo 256.
func replaceConcat(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axis := f.integer("axis")
	if f.err != nil {
		return nil, f.err
	}
	type part struct{ from, to byte }
	seen := make(map[part]bool)
	from := 0
	for _, x := range operands {
		to := from + x.Shape()[axis]
		r := part{byte(from), byte(to)}
		if seen[r] {
			p.note("%s: the gradient of Gorgonia's Concat is wrong in your own machine where the ranges of two parts agree modulo 256, as they do here. The rebuilt passes compute the right one. apoops.Concat is right in both.", describeUse(n))
		}
		seen[r], from = true, to
	}
	return apoops.Concat(axis, operands...)
}

// replaceByIndices adds the gradients of repeated rows up along every axis.
func replaceByIndices(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axis := f.integer("axis")
	if f.err != nil {
		return nil, f.err
	}
	if axis != 0 {
		p.note("%s: the gradient of Gorgonia's ByIndices along axis %d is wrong in your own machine. The rebuilt passes compute the right one. apoops.Take is right in both.", describeUse(n), axis)
	}
	if axis == 0 && operands[0].Dims() == 2 {
		return apoops.Embed(operands[0], operands[1], 1, -1) // on all cores
	}
	return apoops.Take(operands[0], operands[1], axis)
}
