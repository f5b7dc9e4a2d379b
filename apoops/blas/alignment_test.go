package blas

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestProductDoesNotDependOnAlignment moves B through the places within 16 bytes that
// the allocator gives to small arrays.
func TestProductDoesNotDependOnAlignment(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for k := 1; k < 8; k++ {
		for range 20 {
			a, b := make([]float32, k), make([]float32, k)
			for i := range a {
				a[i], b[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			}
			var want float32
			for offset := range 4 {
				place := make([]float32, 64)
				y := place[offset : offset+k]
				copy(y, b)
				var c [1]float32
				Gemm(false, true, 1, 1, k, 1, a, k, y, k, 0, c[:], 1)
				if offset == 0 {
					want = c[0]
				}
				if math.Float32bits(c[0]) != math.Float32bits(want) {
					t.Fatalf("%d elements at offset %d: %v, at offset 0 %v", k, offset, c[0], want)
				}
			}
		}
	}
}
