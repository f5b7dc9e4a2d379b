package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// BenchmarkEngines has the least times of the passes of all engines, called in turn, for
// small images of 128 in a batch.
func BenchmarkEngines(b *testing.B) {
	for _, c := range []convtest.Case{
		convtest.Even("", []int{128, 16, 32, 32}, 16, 3, 1, 1, 1),
		convtest.Even("", []int{128, 32, 16, 16}, 32, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 8, 8}, 64, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 32, 32}, 64, 3, 1, 1, 1),
		convtest.Even("", []int{128, 128, 16, 16}, 128, 3, 1, 1, 1),
		convtest.Even("", []int{128, 256, 8, 8}, 256, 3, 1, 1, 1),
		convtest.Even("", []int{128, 192, 2, 2}, 384, 3, 1, 1, 1),
		convtest.Even("", []int{128, 256, 2, 2}, 256, 3, 1, 1, 1),
		convtest.Even("", []int{128, 512, 2, 2}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 4, 4}, 192, 5, 1, 2, 1),
		convtest.Even("", []int{128, 256, 3, 3}, 256, 3, 1, 1, 1),
		convtest.Even("", []int{128, 256, 4, 4}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{128, 512, 4, 4}, 512, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 4, 4}, 64, 3, 1, 1, 1),
		convtest.Even("", []int{128, 64, 2, 2}, 64, 3, 1, 1, 1),
		convtest.Even("", []int{128, 256, 4, 4}, 512, 3, 2, 1, 1),
		convtest.Even("", []int{128, 512, 1, 1}, 512, 3, 1, 1, 1),
	} {
		g, s := geometry(c), c.Shape
		g.Activation = vmath.ReLU
		engines := map[string]Engine[float32]{"patches": newIm2col[float32](g, s, c.Outputs), "positions": newPositions[float32](g, s, c.Outputs)}
		if e, ok := newOneDNN(g, s, c.Outputs).(Engine[float32]); ok {
			engines["oneDNN"] = e
		}
		if winograds(g) {
			b := g
			b.BlockedX, b.BlockedY = true, true
			if winoBlocked(b, s, c.Outputs) {
				engines["vectors"], engines["vectors-blocks"] = newWinoBlocks(g, s, c.Outputs), newWinoBlocks(b, s, c.Outputs)
			}
			if e, ok := newOneDNN(b, s, c.Outputs).(Engine[float32]); ok {
				engines["oneDNN-blocks"] = e
			}
			engines["winograd"] = newWinograd[float32](g, s, c.Outputs)
		}
		rng := rand.New(rand.NewPCG(5, 1))
		x, w := random[float32](rng, size(s)), random[float32](rng, (s[1]*c.Kernel[0]*c.Kernel[1]+1)*c.Outputs)
		oh, ow := g.OutSize(s[2], s[3])
		dy := random[float32](rng, s[0]*c.Outputs*oh*ow)
		y, dx, dw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
		b.Run(fmt.Sprintf("%v-%d-%dx%d", s, c.Outputs, c.Kernel[0], c.Stride[0]), func(b *testing.B) {
			best := map[string]*[3]time.Duration{}
			for range b.N {
				for name, e := range engines {
					for i, f := range []func() error{
						func() error { return e.Forward(x, w, y) },
						func() error { return e.GradX(dy, y, w, dx) },
						func() error { return e.GradW(x, dy, y, dw) },
					} {
						if best[name] == nil {
							best[name] = &[3]time.Duration{time.Hour, time.Hour, time.Hour}
						}
						start := time.Now()
						if err := f(); err != nil {
							b.Fatal(err)
						}
						best[name][i] = min(best[name][i], time.Since(start))
					}
				}
			}
			for name, t := range best {
				for i, pass := range []string{"y", "dx", "dW"} {
					b.ReportMetric(t[i].Seconds()*1e3, name+"-"+pass+"-ms")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
