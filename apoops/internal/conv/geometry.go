package conv

import "github.com/apo-gorgonia/apo/apoops/internal/vmath"

// Geometry says how a convolution goes over its images, rows first, columns second:
// a patch has Kernel elements a channel, Dilation apart, the next one begins Stride
// further, the first one begins Pad before the image, which is surrounded by zeros.
type Geometry struct {
	Kernel, Stride, Pad, Dilation [2]int
	// NoBias leaves the bias out: the weights have no last row for it.
	NoBias bool
	// BlockedX and BlockedY are for x and y, and their gradients, in blocks of
	// dnn.Block channels.
	BlockedX, BlockedY bool
	// Activation is applied to the result.
	Activation vmath.Activation
}

// Filled is g with 1 for every stride and dilation of 0.
func (g Geometry) Filled() Geometry {
	for i := range g.Kernel {
		if g.Stride[i] == 0 {
			g.Stride[i] = 1
		}
		if g.Dilation[i] == 0 {
			g.Dilation[i] = 1
		}
	}
	return g
}

// OutSize is the size of the result for an image of h rows and w columns.
func (g Geometry) OutSize(h, w int) (oh, ow int) {
	g = g.Filled()
	return g.outSize(0, h), g.outSize(1, w)
}

func (g Geometry) outSize(axis, n int) int {
	return (n+2*g.Pad[axis]-g.Dilation[axis]*(g.Kernel[axis]-1)-1)/g.Stride[axis] + 1
}

// bias is the number of rows of W that hold the bias.
func (g Geometry) bias() int {
	if g.NoBias {
		return 0
	}
	return 1
}
