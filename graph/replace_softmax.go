package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// replaceSoftmax takes the maximum of each row: Gorgonia's starts from the first
// element of the whole array, so that rows far below it become NaN.
//
// Gorgonia cannot distinguish SoftMax and LogSoftMax of one node, and its Log of a
// SoftMax makes that same node a LogSoftMax. A node with several readers may thus be
// meant as either.
func replaceSoftmax(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axis, log := f.integer("axis"), f.truth("isLog")
	if f.err != nil {
		return nil, f.err
	}
	if len(p.readers[n]) > 1 {
		is, other := "SoftMax", "LogSoftMax of the same node is taken for it"
		if log {
			is, other = "LogSoftMax", "Log(SoftMax(x)) turns the SoftMax node itself into its logarithm"
		}
		p.note("%s is read in several places, and is %s in all of them, in your own machine too (%s). If probabilities and logarithms are both meant, take LogSoftMax and Exp of it.", describeUse(n), is, other)
	}
	if axis < 0 && n.Shape().IsColVec() {
		p.note("%s: Gorgonia's SoftMax of a column without an axis named is over the column, and its gradient is wrong in your own machine. The rebuilt passes compute the right one. Name the axis.", describeUse(n))
	}
	apply := apoops.SoftmaxAlong
	if log {
		apply = apoops.LogSoftmaxAlong
	}
	return apply(operands[0], axisOfRows(axis, n.Shape()))
}

// axisOfRows is the axis that Gorgonia's softmax takes: the last one where it is
// -1, but for a column, which is a row there.
func axisOfRows(axis int, s tensor.Shape) int {
	switch {
	case axis >= 0:
		return axis
	case s.IsColVec():
		return 0
	}
	return s.Dims() - 1
}

// replaceSparsemax is along the axis that is meant, the last one where none is named.
func replaceSparsemax(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	axis := f.integer("axis")
	if f.err != nil {
		return nil, f.err
	}
	if axis >= 0 || n.Dims() != 2 {
		p.note("%s: Gorgonia's Sparsemax or its gradient is wrong in your own machine, or ends the program there, but for a matrix without an axis named. The rebuilt passes compute the right ones. apoops.SparsemaxAlong is right in both.", describeUse(n))
	}
	if axis < 0 {
		axis = n.Dims() - 1
	}
	return apoops.SparsemaxAlong(operands[0], axis)
}
