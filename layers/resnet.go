package layers

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// ResNet18 is the residual net (He et al. 2016) of 18 layers in the form that is
// usual for images 3×32×32: a 3×3 stem of 64 channels, four stages of two blocks
// with 64, 128, 256 and 512 channels, global average pooling and a linear layer.
// Where a block changes the shape, its shortcut is a 1×1 convolution with batch
// normalisation. It has 11 173 962 weights for 10 classes.
func ResNet18(classes int) *Model {
	return resNet([]int{2, 2, 2, 2}, 64, classes, projection)
}

// ResNet34 is ResNet18 with 3, 4, 6 and 3 blocks: 21 282 122 weights for 10 classes.
func ResNet34(classes int) *Model {
	return resNet([]int{3, 4, 6, 3}, 64, classes, projection)
}

// ResNet32 is the residual net of 32 layers for CIFAR (He et al. 2016): three
// stages of five blocks with width, 2·width and 4·width channels. Where a block
// changes the shape, its shortcut drops every other row and column and adds
// channels of zeros (their option A): this, not a projection, gives the published
// 0.46 million weights at width 16 (464 154 for 10 classes; a projection, 466 906).
// Width 64 has 7 386 186, 7.4 million.
func ResNet32(classes, width int) *Model {
	return resNet([]int{5, 5, 5}, width, classes, optionA)
}

// ResNet8 is ResNet32 of width 16 with one block a stage: 75 290 weights for 10
// classes.
func ResNet8(classes int) *Model {
	return resNet([]int{1, 1, 1}, 16, classes, optionA)
}

// resNet has a stage for each number of blocks. The first stage keeps the size of the
// images; each later one halves it and doubles the channels.
func resNet(blocks []int, width, classes int, reshaping func(in, out, stride int) []Layer) *Model {
	if width < 1 {
		return invalid(errors.Errorf("a residual net of width %d: must be 1 or more", width))
	}
	m := Sequential(normConv(3, width, 3, 1), BatchNorm(width, apoops.ReLUAct))
	in := width
	for stage, n := range blocks {
		for block := range n {
			out, stride := width<<stage, 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			m.layers = append(m.layers, basicBlock(in, out, stride, reshaping))
			in = out
		}
	}
	m.layers = append(m.layers, GlobalAvgPool(), logits(in, classes))
	return m
}

// basicBlock has two 3×3 convolutions, each with batch normalisation.
func basicBlock(in, out, stride int, reshaping func(in, out, stride int) []Layer) Layer {
	r := Residual(
		normConv(in, out, 3, stride), BatchNorm(out, apoops.ReLUAct),
		normConv(out, out, 3, 1), BatchNorm(out, apoops.Identity),
	)
	if in != out || stride != 1 {
		r.Shortcut = reshaping(in, out, stride)
	}
	return r
}

// projection is the shortcut with weights.
func projection(in, out, stride int) []Layer {
	return []Layer{normConv(in, out, 1, stride), BatchNorm(out, apoops.Identity)}
}

// optionA is the shortcut without weights.
func optionA(_, out, stride int) []Layer { return []Layer{Subsample(stride, out)} }

// normConv is a convolution next to batch normalisation: padded, without bias and
// activation.
func normConv(in, out, kernel, stride int) *ConvLayer {
	c := same(in, out, kernel)
	c.Stride, c.NoBias, c.Activation = [2]int{stride, stride}, true, apoops.Identity
	return c
}
