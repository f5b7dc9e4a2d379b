package graph

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchConv finds Gorgonia's Conv2d and Conv1d, with or without a bias for each
// channel: patches times filters, brought back to N×O×OH×OW.
func matchConv(f *fuser, n *gorgonia.Node) *fusedLayer {
	known := func(y *gorgonia.Node) bool { _, x, _ := convolution(f, y); return x != nil }
	y, bias := plusBias(f, n, known)
	c, x, filters := convolution(f, y)
	if x == nil {
		return nil
	}
	operands := gorgonia.Nodes{x, filters}
	if bias != nil {
		operands = append(operands, bias)
	}
	return &fusedLayer{operands, func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
		c.NoBias, c.Activation = bias == nil, act
		w, err := apoops.FilterMatrix(x[1], append(x[2:], nil)[0])
		if err != nil {
			return nil, err
		}
		return apoops.Conv2D(x[0], w, c)
	}}
}

// convolution takes the result y of Conv2d apart; x is nil where it is none.
func convolution(f *fuser, y *gorgonia.Node) (c apoops.Conv, x, filters *gorgonia.Node) {
	none := apoops.Conv{}
	rows, ok := operand(y, "transposeOp")
	if !ok || !slices.Equal(fieldsOf(y.Op()).integers("pattern"), []int{0, 3, 1, 2}) || !f.inner(rows, 1) {
		return none, nil, nil
	}
	product, ok := operand(rows, "reshapeOp")
	if !ok || !f.inner(product, 1) || !isProduct(product, "A × Bᵀ") {
		return none, nil, nil
	}
	factors := children(product)
	patches, ok := operand(factors[0], "reshapeOp")
	if !ok || !f.open(factors[0]) || !f.open(patches) {
		return none, nil, nil
	}
	x, ok = operand(patches, "im2colOp")
	if !ok || f.isParameter(x) {
		return none, nil, nil
	}
	filters, ok = operand(factors[1], "reshapeOp")
	if !ok || !f.open(factors[1]) {
		return none, nil, nil
	}
	s := fieldsOf(patches.Op())
	pair := func(rows, cols string) [2]int { return [2]int{s.integer(rows), s.integer(cols)} }
	c = apoops.Conv{
		Kernel: pair("h", "w"), Stride: pair("strideH", "strideW"),
		Pad: pair("padH", "padW"), Dilation: pair("dilationH", "dilationW"),
	}
	if s.err != nil || x.Dims() != 4 || filters.Dims() != 4 || !shapeIs(filters, filters.Shape()[0], x.Shape()[1], c.Kernel[0], c.Kernel[1]) {
		return none, nil, nil
	}
	oh, ow := c.OutSize(x.Shape()[2], x.Shape()[3])
	if !shapeIs(y, x.Shape()[0], filters.Shape()[0], oh, ow) || !shapeIs(rows, x.Shape()[0], oh, ow, filters.Shape()[0]) {
		return none, nil, nil
	}
	return c, x, filters
}
