package simd

import "math/rand/v2"

func init() {
	routines = append(routines,
		routine{"MaxPairs", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			y, a, b := m.singles(n), random(r, m.singles(2*n), rare), random(r, m.singles(2*n), rare)
			MaxPairs(y, a, b)
			return bitsOf(bitsOf(bitsOf(nil, y...), a...), b...)
		}},
		routine{"MaxPairsGrad", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			a, b := few(r, m.singles(2*n), rare), few(r, m.singles(2*n), rare)
			y, dy, da, db := m.singles(n), random(r, m.singles(n), rare), random(r, m.singles(2*n), rare), random(r, m.singles(2*n), rare)
			MaxPairs(y, a, b)
			MaxPairsGrad(da, db, a, b, y, dy)
			return bitsOf(bitsOf(nil, da...), db...)
		}},
	)
}

// few are numbers of which many are equal.
func few(r *rand.Rand, x []float32, rare bool) []float32 {
	random(r, x, rare)
	for i := range x {
		if r.IntN(3) > 0 {
			x[i] = float32(r.IntN(3) - 1)
		}
	}
	return x
}
