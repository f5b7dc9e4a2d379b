package simd

import "math/rand/v2"

func init() {
	routines = append(routines,
		routine{"Interleave", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			n = min(n, 60) // arrays of 4096 bytes
			stride := n + r.IntN(3)
			src, dst := random(r, m.singles(max(15*stride+n, 0)), rare), m.singles(n*Block)
			Interleave(dst, src, stride)
			return bitsOf(nil, dst...)
		}},
		routine{"Deinterleave", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			n = min(n, 60)
			stride := n + r.IntN(3)
			src, dst := random(r, m.singles(n*Block), rare), m.singles(max(15*stride+n, 0))
			for i := range dst {
				dst[i] = 3 // what lies between the rows stays
			}
			Deinterleave(dst, stride, src)
			return bitsOf(nil, dst...)
		}},
	)
}
