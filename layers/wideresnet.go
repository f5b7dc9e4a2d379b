package layers

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// WideResNet is the wide residual net (Zagoruyko & Komodakis 2016) for images
// 3×32×32. It has three stages of n blocks with 16, 32 and 64 channels, times widen;
// depth is the number of its convolutions, 6n+4. Batch normalisation and ReLU come
// before the convolutions, and before the shortcut where that is a 1×1 convolution.
// There is no dropout. WideResNet(28, 10, 10) has 36 479 194 weights.
func WideResNet(depth, widen, classes int) *Model {
	n := (depth - 4) / 6
	if n < 1 || depth != 6*n+4 {
		return invalid(errors.Errorf("a wide residual net of depth %d: must be 6n+4 with n of 1 or more", depth))
	}
	if widen < 1 {
		return invalid(errors.Errorf("a wide residual net widened by %d: must be 1 or more", widen))
	}
	m := Sequential(normConv(3, 16, 3, 1))
	in := 16
	for stage := range 3 {
		out := 16 * widen << stage
		for block := range n {
			stride := 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			m.layers = append(m.layers, wideBlock(in, out, stride)...)
			in = out
		}
	}
	m.layers = append(m.layers, BatchNorm(in, apoops.ReLUAct), GlobalAvgPool(), logits(in, classes))
	return m
}

// wideBlock has two 3×3 convolutions, each after a normalisation. Where the block
// changes the shape, the first normalisation comes before the shortcut too.
func wideBlock(in, out, stride int) []Layer {
	first := BatchNorm(in, apoops.ReLUAct)
	r := &ResidualLayer{
		Main: []Layer{normConv(in, out, 3, stride), BatchNorm(out, apoops.ReLUAct), normConv(out, out, 3, 1)},
	}
	if in == out && stride == 1 {
		r.Main = append([]Layer{first}, r.Main...)
		return []Layer{r}
	}
	r.Shortcut = []Layer{normConv(in, out, 1, stride)}
	return []Layer{first, r}
}
