package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
)

// TestEnginesAllocateNothing: from the second run on, in every pass.
func TestEnginesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	if name, _ := blas.Use(); name == "gonum" {
		t.Skip("gonum's products start goroutines, and so allocate")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	s := []int{40, 3, 12, 12}
	three, one := geometry(convtest.Even("", s, 8, 3, 1, 1, 1)), geometry(convtest.Even("", s, 8, 1, 1, 0, 1))
	for _, e := range []struct {
		Geometry
		engine Engine[float32]
	}{
		{three, New[float32](three, s, 8)}, {one, New[float32](one, s, 8)},
		{three, newIm2col[float32](three, s, 8)}, {one, newIm2col[float32](one, s, 8)}, {three, newWinograd[float32](three, s, 8)}, {three, newPositions[float32](three, s, 8)},
	} {
		c, k := e.Geometry, e.engine
		rows := 3*c.Kernel[0]*c.Kernel[1] + 1
		x := random[float32](rng, size(s))
		w := random[float32](rng, rows*8)
		dz := random[float32](rng, 40*8*12*12)
		y, dx, dw := make([]float32, len(dz)), make([]float32, len(x)), make([]float32, len(w))
		for what, f := range map[string]func() error{
			"forward": func() error { return k.Forward(x, w, y) },
			"dx":      func() error { return k.GradX(dz, y, w, dx) },
			"dW":      func() error { return k.GradW(x, dz, y, dw) },
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
