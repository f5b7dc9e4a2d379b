package layers

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// WideResNet is the wide residual net (Zagoruyko & Komodakis 2016) for images
// 3×32×32: depth, 6n+4, counts its convolutions, n blocks in each of three stages
// of 16, 32 and 64 channels times widen. Batch normalisation and ReLU come before
// the convolutions, also before the shortcut where that is a 1×1 convolution; no
// dropout. WideResNet(28, 10, 10) has 36 479 194 weights.
func WideResNet(depth, widen, classes int) *Model {
	n := (depth - 4) / 6
	if n < 1 || depth != 6*n+4 {
		return Sequential(faulty{errors.Errorf("a wide residual net of depth %d: it must be 6n+4 for n from 1 on", depth)})
	}
	if widen < 1 {
		return Sequential(faulty{errors.Errorf("a residual net widened by %d", widen)})
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

// wideBlock has two 3×3 convolutions behind normalisations, the first of which is
// before the shortcut, too, where the block changes the shape.
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
