package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestWinogradVectors compares the assembly for blocks of channels with the Go code: the
// assembly multiplies and adds in one rounding.
func TestWinogradVectors(t *testing.T) {
	if simd.Current() < simd.AVX512 {
		t.Skip("no AVX-512")
	}
	rng := rand.New(rand.NewPCG(4, 1))
	const stride, row = 3*dnn.Block + cachePadding, 9
	x, m := random[float32](rng, 6*row*dnn.Block), random[float32](rng, winoSize*stride)
	var bias winoVec
	copy(bias[:], random[float32](rng, dnn.Block))
	run := func(l simd.Level) (all [][]float32) {
		defer simd.Set(simd.Set(l))
		var r winoRoom
		v, s, y := make([]float32, len(m)), make([]float32, len(m)), make([]float32, 4*row*dnn.Block)
		r.input(v, stride, x[dnn.Block:], row)
		r.spread(s, stride, x[dnn.Block:], row)
		r.result(m, stride, y[dnn.Block:], row, &bias)
		all = append(all, v, s, y)
		for _, p := range []winoProduct{
			{rows: 8, cols: 16, steps: 1, rowA: 1, stepA: 40, stepB: 16, rowC: 16},
			{rows: 24, cols: 48, steps: 13, rowA: 19, stepA: 1, stepB: 50, rowC: 49},
			{rows: 16, cols: 32, steps: 40, rowA: 1, stepA: 24, stepB: 32, rowC: 40, add: true},
			{rows: 8, cols: 112, steps: 5, rowA: 7, stepA: 1, stepB: 112, rowC: 112, add: true},
		} {
			rng := rand.New(rand.NewPCG(5, 1))
			p.matrices, p.nextC, p.nextA, p.nextB = 3, p.rows*p.rowC+5, p.rows*p.rowA+p.steps*p.stepA+7, p.steps*p.stepB+3
			c := random[float32](rng, 3*p.nextC)
			p.run(c, random[float32](rng, 3*p.nextA), random[float32](rng, 3*p.nextB))
			all = append(all, c)
		}
		return all
	}
	got, want := run(simd.AVX512), run(simd.Off)
	for k := range want {
		for i, v := range want[k] {
			if d := got[k][i] - v; !(d <= 2e-5 && d >= -2e-5) {
				t.Fatalf("result %d: element %d is %v, not %v", k, i, got[k][i], v)
			}
		}
	}
}
