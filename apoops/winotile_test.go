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
	const stride = 11
	var tiles winoTiles[float32]
	var results winoResults[float32]
	from := make([]float32, winoSize*stride)
	fill := func(v []float32) {
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
	}
	for i := range tiles {
		fill(tiles[i][:])
	}
	for i := range results {
		fill(results[i][:])
	}
	fill(from)
	run := func(avx bool) (all [3][]float32) {
		useAVX = avx
		defer func() { useAVX = true }()
		b, y := tiles, results
		for i := range all {
			all[i] = make([]float32, len(from))
		}
		b.transform(all[0], stride)
		b.spread(&y, all[1], stride)
		b.results(&y, from, stride)
		for i := range y {
			copy(all[2][i*winoLanes:], y[i][:])
		}
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
