package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// poolOf is the geometry that the user asked for. Gorgonia's own takes the padding
// behind the image for that before it, where four numbers are given.
func poolOf(n *gorgonia.Node) (apoops.Pool, error) {
	f := fieldsOf(n.Op())
	pool := apoops.Pool{
		Kernel: [2]int{f.integer("h"), f.integer("w")},
		Stride: [2]int{f.integer("strideH"), f.integer("strideW")},
		Pad:    [2]int{f.integer("padNorth"), f.integer("padWest")},
	}
	pool.Behind = [2]int{f.integer("padSouth") - pool.Pad[0], f.integer("padEast") - pool.Pad[1]}
	return pool, f.err
}

func replaceMaxPool(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	pool, err := poolOf(n)
	if err != nil {
		return nil, err
	}
	if pool.Behind != [2]int{} {
		p.note("%s: Gorgonia's MaxPool2D puts padding that differs from side to side on the wrong sides in your own machine. The rebuilt passes put it where it belongs. Give both sides the same, or use apoops.MaxPool2D.", describeUse(n))
	}
	if pool.Kernel[0] == 1 && pool.Kernel[1] > 1 {
		p.note("%s takes the maximum of each window. Gorgonia's AveragePool1D does that too, in your own machine as well: if averages are meant, use apoops.AvgPool2D.", describeUse(n))
	}
	x, err := p.computed(n, operands)
	if err != nil {
		return nil, err
	}
	return apoops.MaxPool2D(x, pool)
}

// replaceAveragePool is the mean of each window. Padding counts as zeros.
func replaceAveragePool(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	pool, err := poolOf(n)
	if err != nil {
		return nil, err
	}
	p.note("%s: Gorgonia's AveragePool2D and its gradient are wrong in your own machine. The rebuilt passes compute the mean of each window, padding counted as zeros. apoops.AvgPool2D is right in both.", describeUse(n))
	x, err := p.computed(n, operands)
	if err != nil {
		return nil, err
	}
	return apoops.AvgPool2D(x, pool)
}

// replaceGlobalAveragePool has a gradient; Gorgonia's has none.
func replaceGlobalAveragePool(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	p.noteNoGradient(n, "GlobalAveragePool2D")
	x, err := p.computed(n, operands)
	if err != nil {
		return nil, err
	}
	y, err := apoops.GlobalAvgPool2D(x)
	return shaped(y, n, err)
}
