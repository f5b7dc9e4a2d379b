package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// TestConv2DAllocatesNothing: from the second run on, in every pass.
func TestConv2DAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	if name, _ := blas.Use(); name == "gonum" {
		t.Skip("gonum's products start goroutines, and so allocate")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	s := tensor.Shape{40, 3, 12, 12}
	three, one := evenConv(3, 1, 1, 1), evenConv(1, 1, 0, 1)
	for _, e := range []struct {
		Conv
		engine convEngine[float32]
	}{
		{three, newConvEngine[float32](three, s, 8)}, {one, newConvEngine[float32](one, s, 8)},
		{three, newIm2col[float32](three, s, 8)}, {one, newIm2col[float32](one, s, 8)}, {three, newWinograd[float32](three, s, 8)},
	} {
		c, k := e.Conv, e.engine
		rows := 3*c.Kernel[0]*c.Kernel[1] + 1
		x := convert(randn(rng, s...), tensor.Float32).Float32s()
		w := convert(randn(rng, rows, 8), tensor.Float32).Float32s()
		dz := convert(randn(rng, 40, 8, 12, 12), tensor.Float32).Float32s()
		y, dx, dw := make([]float32, len(dz)), make([]float32, len(x)), make([]float32, len(w))
		for what, f := range map[string]func() error{
			"forward": func() error { return k.forward(x, w, y) },
			"dx":      func() error { return k.gradX(dz, y, w, dx) },
			"dW":      func() error { return k.gradW(x, dz, y, dw) },
		} {
			if n := testing.AllocsPerRun(20, func() {
				if err := f(); err != nil {
					t.Fatal(err)
				}
			}); n > 1 { // a pool may grow while its users differ from run to run
				t.Errorf("%T, %v, %s: %v allocations a run", k, c, what, n)
			}
		}
	}
}
