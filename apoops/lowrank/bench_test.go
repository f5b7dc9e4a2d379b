package lowrank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkStep is one side of a dense layer, of a wide convolution and of a narrow layer.
func BenchmarkStep(b *testing.B) {
	for _, s := range []Side{{1001, 32}, {1001, 64}, {4609, 32}, {101, 32}, {64, 32}} {
		b.Run(fmt.Sprintf("%dx%d", s.Size, s.Rank), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			const n = 64
			p := start[float32](rng, s)
			next := View(s, make([]float32, s.Len()))
			x, w := random[float32](rng, n*s.Size), weights[float32](rng, n)
			for i := range x {
				x[i] /= float32(math.Sqrt(float64(1 + i%s.Size)))
			}
			xv := make([]float32, n*s.Core())
			new(Multiplier[float32]).Project(xv, x, n, p)
			var l Learner[float32]
			a, after := averages[float32](s), averages[float32](s)
			for b.Loop() {
				l.Step(next, after, p, a, x, xv, w, n, Step{Decay: 0.9, Oja: 0.5, Damping: 0.03})
			}
		})
	}
}

// BenchmarkGradient is P_B·G·P_A of a dense layer.
func BenchmarkGradient(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	pb, pa := start[float32](rng, Side{1001, 32}), start[float32](rng, Side{1000, 32})
	g := random[float32](rng, pb.Size*pa.Size)
	u := make([]float32, len(g))
	var m Multiplier[float32]
	for b.Loop() {
		m.Gradient(u, g, pb, pa)
	}
}
