package conv

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
	"github.com/apo-gorgonia/apo/apoops/par"
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

// TestMemoryOfManyChannels: the gradients of a convolution whose weights are larger than its
// images. In a first run Winograd's dx makes the transforms of the weights once, not turned
// and unturned, and dW of bfloat16 has no array of float32 of its size.
func TestMemoryOfManyChannels(t *testing.T) {
	if dnn.BFloat16() != nil || !winoVectors() {
		t.Skip("neither is computed so on this machine")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		convtest.Case
		most func(weights int) int // bytes
		run  func(b *Bits, x, w, dy []uint16) error
	}{
		{convtest.Even("dW", []int{1, 512, 4, 4}, 512, 3, 1, 1, 1),
			func(weights int) int { return min(2*weights, par.Cores()*(3<<20)/4) + 1<<19 },
			func(b *Bits, x, w, dy []uint16) error { return b.GradW(x, dy, nil, w) }},
		{convtest.Even("dx", []int{1, 256, 4, 4}, 256, 3, 1, 1, 1),
			func(weights int) int { return 4*weights + 4*weights/9*winoSize + par.Cores()*(4<<20)/3 },
			func(b *Bits, x, w, dy []uint16) error { return b.GradX(dy, nil, w, x) }},
	} {
		g, s := geometry(c.Case), c.Shape
		g.NoBias = true
		var b Bits
		if !b.Compile(g, s, c.Outputs) {
			t.Fatalf("%s: refused", c.Name)
		}
		x, _ := rounded(rng, size(s))
		dy, _ := rounded(rng, s[0]*c.Outputs*s[2]*s[3])
		w, _ := rounded(rng, s[1]*9*c.Outputs)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		must(t, c.run(&b, x, w, dy))
		runtime.ReadMemStats(&after)
		got, most := int(after.TotalAlloc-before.TotalAlloc), c.most(len(w))
		t.Logf("%s by %T: %.1f MB", c.Name, b.conv, float64(got)/1e6)
		if got > most {
			t.Errorf("%s by %T: %d bytes, want at most %d", c.Name, b.conv, got, most)
		}
	}
}
