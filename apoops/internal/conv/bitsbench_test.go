package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
)

// BenchmarkBits has the least times of the passes of the ways of Bits, and of the engine
// that New chooses in float32, called in turn, for the layers of ResNet-18 on images of
// 32×32, 128 in a batch and fewer, in blocks of channels.
func BenchmarkBits(b *testing.B) {
	if err := dnn.BFloat16(); err != nil {
		b.Skip("no bfloat16 on this machine: ", err)
	}
	for _, c := range []convtest.Case{
		convtest.Even("", []int{128, 64, 32, 32}, 64, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 32, 32}, 128, 3, 2, 1, 1),
		convtest.Even("", []int{128, 128, 16, 16}, 128, 3, 1, 1, 1),
		convtest.Even("", []int{128, 128, 16, 16}, 256, 3, 2, 1, 1),
		convtest.Even("", []int{128, 256, 8, 8}, 256, 3, 1, 1, 1),
		convtest.Even("", []int{128, 256, 8, 8}, 512, 3, 2, 1, 1),
		convtest.Even("", []int{128, 512, 4, 4}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{128, 512, 2, 2}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{32, 512, 4, 4}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{2, 512, 4, 4}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 32, 32}, 128, 1, 2, 0, 1),
		convtest.Even("", []int{128, 128, 16, 16}, 256, 1, 2, 0, 1),
		convtest.Even("", []int{128, 256, 8, 8}, 512, 1, 2, 0, 1),
	} {
		g, s := geometry(c), c.Shape
		g.BlockedX, g.BlockedY, g.NoBias = true, true, true
		one, err := openOneDNN(g, s, c.Outputs, dnn.Activation[uint16]{})
		if err != nil {
			b.Fatal(err)
		}
		engines := map[string]bitsEngine{"oneDNN": newOneDNNBits(one)}
		if engines["positions"], err = newBitsPositions(one, g, s, c.Outputs); err != nil {
			b.Fatal(err)
		}
		if winoBlocked(g, s, c.Outputs) {
			engines["vectors"] = newWinoBits(g, s, c.Outputs)
		}
		plain := g
		plain.BlockedX = Blocks(g, s, c.Outputs, false)
		plain.BlockedY = plain.BlockedX
		single := New[float32](plain, s, c.Outputs)
		rng := rand.New(rand.NewPCG(5, 1))
		x, fx := rounded(rng, size(s))
		w, fw := rounded(rng, s[1]*c.Kernel[0]*c.Kernel[1]*c.Outputs)
		oh, ow := g.OutSize(s[2], s[3])
		dy, fdy := rounded(rng, s[0]*c.Outputs*oh*ow)
		y, dx, dw := make([]uint16, len(dy)), make([]uint16, len(x)), make([]uint16, len(w))
		fy, fdx, fdw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
		b.Run(fmt.Sprintf("%v-%d-%dx%d", s, c.Outputs, c.Kernel[0], c.Stride[0]), func(b *testing.B) {
			best := map[string]time.Duration{}
			measure := func(name string, f func() error) {
				start := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				if d := time.Since(start); best[name] == 0 || d < best[name] {
					best[name] = d
				}
			}
			for range b.N {
				for name, e := range engines {
					measure(name+"-y", func() error { return e.Forward(x, w, y) })
					measure(name+"-dx", func() error { return e.GradX(dy, nil, w, dx) })
					measure(name+"-dW", func() error { return e.GradW(x, dy, nil, dw) })
				}
				measure("float32-y", func() error { return single.Forward(fx, fw, fy) })
				measure("float32-dx", func() error { return single.GradX(fdy, nil, fw, fdx) })
				measure("float32-dW", func() error { return single.GradW(fx, fdy, nil, fdw) })
			}
			for name, d := range best {
				b.ReportMetric(d.Seconds()*1e3, name+"-ms")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
