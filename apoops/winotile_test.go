//go:build amd64

package apoops

import (
	"math/rand/v2"
	"testing"
)

// TestVectorsGiveTheSameBits compares the assembly of the tiles' transforms with
// the Go code.
func TestVectorsGiveTheSameBits(t *testing.T) {
	if !useAVX {
		t.Skip("this processor has no AVX")
	}
	rng := rand.New(rand.NewPCG(4, 1))
	const stride, row = 11, 26
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	plane, m := random(10*row), random(winoSize*stride)
	at := [winoLanes]int32{0, 4, 9, 20, 4*row + 1, 4*row + 5, 4*row + 11, 4*row + 20}
	run := func(avx bool) (all [3][]float32) {
		useAVX = avx
		defer func() { useAVX = true }()
		var b winoTiles[float32]
		all = [3][]float32{make([]float32, len(m)), make([]float32, len(m)), make([]float32, len(plane))}
		b.transform(all[0], stride, plane, row, &at)
		b.spread(all[1], stride, plane, row, &at)
		b.results(m, stride, all[2], row, &at)
		return all
	}
	got, want := run(true), run(false)
	for k := range want {
		for i, v := range want[k] {
			if got[k][i] != v {
				t.Fatalf("transform %d: element %d is %v, not %v", k, i, got[k][i], v)
			}
		}
	}
}
