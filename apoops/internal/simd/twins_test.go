package simd

import (
	"math/rand/v2"
	"testing"
)

// routines are all that are compared with their twins.
var routines = []routine{
	{"Exps", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		z := random(r, m.doubles(n), rare)
		Exps(z)
		return bitsOf(nil, z...)
	}},
	{"Logistic", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		z := random(r, m.doubles(n), rare)
		Logistic(z)
		return bitsOf(nil, z...)
	}},
	{"ExpBlock", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		z, dst := random(r, m.singles(n), rare), m.doubles(n)
		ExpBlock(dst, z, number(r, rare))
		return bitsOf(bitsOf(nil, dst...), z...)
	}},
	{"ExpRow", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		z, dst := random(r, m.singles(n), rare), m.singles(n)
		sum := ExpRow(dst, z, number(r, rare))
		return bitsOf(bitsOf(bitsOf(nil, dst...), z...), sum)
	}},
	{"ExpRow in place", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		z := random(r, m.singles(n), rare)
		sum := ExpRow(z, z, number(r, rare))
		return bitsOf(bitsOf(nil, z...), sum)
	}},
	{"SumExp", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		return bitsOf(nil, SumExp(random(r, m.singles(n), rare), number(r, rare)))
	}},
	{"Max", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		return bitsOf(nil, Max(random(r, m.singles(n), rare)))
	}},
}

// TestTwins compares the vectors' results with Go's, bit for bit, in arrays of all
// short lengths and beginnings, and looks for what is written beside them. On
// processors without vectors Go is all that there is, and all other tests run it.
func TestTwins(t *testing.T) {
	for _, l := range vectors(t) {
		for n := range 301 {
			for offset := range 16 {
				if n > 40 && (offset+n)%5 != 0 {
					continue
				}
				compare(t, routines, l, n, offset, uint64(2*n+offset%2), nil)
			}
		}
	}
}

func FuzzTwins(f *testing.F) {
	f.Add(uint64(1), 100, 3)
	f.Fuzz(func(t *testing.T, seed uint64, n, offset int) {
		for _, l := range Levels()[1:] {
			one := routines[seed/2%uint64(len(routines)):][:1]
			compare(t, one, l, int(uint(n)%500), int(uint(offset)%16), seed, nil)
		}
	})
}
