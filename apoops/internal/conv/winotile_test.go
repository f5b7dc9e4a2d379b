//go:build amd64

package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestVectorsGiveTheSameBits compares the assembly of the tiles' transforms with
// the Go code.
func TestVectorsGiveTheSameBits(t *testing.T) {
	level := simd.Current()
	if level == simd.Off {
		t.Skip("no vector instructions")
	}
	rng := rand.New(rand.NewPCG(4, 1))
	const stride, row = 11, 26
	plane, m := random[float32](rng, 10*row), random[float32](rng, winoSize*stride)
	at := [winoLanes]int32{0, 4, 9, 20, 4*row + 1, 4*row + 5, 4*row + 11, 4*row + 20}
	run := func(l simd.Level) (all [5][]float32) {
		defer simd.Set(simd.Set(l))
		var b winoTiles[float32]
		for i := range all {
			all[i] = make([]float32, max(len(m), len(plane), winoSize*(2*row+cachePadding)))
		}
		if used := fastTransform(&b, all[0], stride, plane, row, &at); used != (l != simd.Off) {
			t.Fatalf("at level %v vectors are used: %v", l, used)
		}
		b.transform(all[0], stride, plane, row, &at)
		b.spread(all[1], stride, plane, row, &at)
		b.results(m, stride, all[2], row, &at)
		for i, rotated := range []bool{false, true} { // 13 kernels: the last ones one by one
			k := winoWeights[float32]{c: 1, o: 13, rotated: rotated, w: plane, u: all[3+i]}
			k.transform(0, 1)
			k.w = make([]float32, 9*13)
			k.transformBack(0, 1)
			all[3+i] = append(all[3+i], k.w...)
		}
		return all
	}
	got, want := run(level), run(simd.Off)
	for k := range want {
		for i, v := range want[k] {
			if got[k][i] != v {
				t.Fatalf("transform %d: element %d is %v, not %v", k, i, got[k][i], v)
			}
		}
	}
}
