package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

func init() {
	routines = append(routines,
		elementwise("SoftmaxGrad", 3, 0, func(x [][]float32, _ []float32) { SoftmaxGrad(x[0], x[1], x[2]) }),
		elementwise("SoftmaxGrad in place", 2, 0, func(x [][]float32, _ []float32) { SoftmaxGrad(x[0], x[0], x[1]) }),
		elementwise("ExpLess", 2, 3, func(x [][]float32, f []float32) {
			ExpLess(x[0], x[1], float64(f[0]), float64(f[1]), float64(f[2]))
		}),
		routine{"Sum", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			return bitsOf(nil, Sum(random(r, m.singles(n), rare)))
		}},
		routine{"Dot", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			return bitsOf(nil, Dot(random(r, m.singles(n), rare), random(r, m.singles(n), rare)))
		}},
		routine{"Squares", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			sum, square := Squares(random(r, m.singles(n), rare), number(r, rare))
			return bitsOf(nil, sum, square)
		}},
		routine{"NormSums", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			var x [5][]float32
			for i := range x {
				x[i] = random(r, m.singles(n), rare)
			}
			sum, product := NormSums(x[0], x[1], x[2], x[3], x[4], float32(number(r, rare)), float32(number(r, rare)))
			return bitsOf(bitsOf(bitsOf(nil, x[0]...), x[1]...), sum, product)
		}},
		elementwise("BatchGrad", 3, 4, func(x [][]float32, f []float32) { BatchGrad(x[0], x[1], x[2], f[0], f[1], f[2], f[3]) }),
		elementwise("BatchReLUGrad", 3, 5, func(x [][]float32, f []float32) {
			BatchReLUGrad(x[0], x[1], x[2], f[0], f[1], f[2], f[3], f[4])
		}),
		routine{"BatchSums", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			product, sum := BatchSums(random(r, m.singles(n), rare), random(r, m.singles(n), rare), float32(number(r, rare)))
			return bitsOf(nil, product, sum)
		}},
		routine{"BatchReLUSums", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			f := random(r, make([]float32, 3), rare)
			product, sum := BatchReLUSums(random(r, m.singles(n), rare), random(r, m.singles(n), rare), f[0], f[1], f[2])
			return bitsOf(nil, product, sum)
		}},
		routine{"DropOut", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			x, y := random(r, m.singles(n), rare), m.singles(n)
			threshold := r.Uint64()
			DropOut(y, x, r.Uint64(), threshold, float32(number(r, rare)))
			return bitsOf(nil, y...)
		}},
	)
}

// TestSumsByElement compares sums with those made from the first element to the last,
// of float64 too.
func TestSumsByElement(t *testing.T) {
	for _, l := range Levels() {
		defer Set(Set(l))
		for n := range 100 {
			checkSums[float32](t, n)
			checkSums[float64](t, n)
		}
	}
}

func checkSums[T Float](t *testing.T, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), 3))
	made := func() []T {
		x := make([]T, n)
		for i := range x {
			x[i] = T(r.NormFloat64())
		}
		return x
	}
	x, y, gain, dgain, dshift := made(), made(), made(), made(), made()
	var dot, sum, square, h, hx float64
	wantGain, wantShift := append([]T(nil), dgain...), append([]T(nil), dshift...)
	for i, v := range x {
		dot += float64(v) * float64(y[i])
		sum += float64(v) - 3
		square += (float64(v) - 3) * (float64(v) - 3)
		normal := (float64(v) - 0.5) * 2
		h += float64(y[i]) * float64(gain[i])
		hx += float64(y[i]) * float64(gain[i]) * normal
		wantGain[i] += T(float64(y[i]) * normal)
		wantShift[i] += y[i]
	}
	s, q := Squares(x, 3)
	a, b := NormSums(dgain, dshift, x, y, gain, 0.5, 2)
	for i, pair := range [][2]float64{{Dot(x, y), dot}, {s, sum}, {Sum(x), sum + 3*float64(n)}, {q, square}, {a, h}, {b, hx}} {
		if math.Abs(pair[0]-pair[1]) > 1e-5*float64(n) {
			t.Fatalf("%v, %T: sum %d of %d elements is %v, want %v", level, x, i, n, pair[0], pair[1])
		}
	}
	for i := range dgain {
		if math.Abs(float64(dgain[i]-wantGain[i])) > 1e-5 || dshift[i] != wantShift[i] {
			t.Fatalf("%v, %T: element %d of %d: %v, %v, want %v, %v", level, x, i, n, dgain[i], dshift[i], wantGain[i], wantShift[i])
		}
	}
}

// TestDropOutByElement: of both types the same elements are kept, those whose hash is
// the threshold or more.
func TestDropOutByElement(t *testing.T) {
	for _, l := range Levels() {
		defer Set(Set(l))
		x, y, z := make([]float32, 1000), make([]float32, 1000), make([]float64, 1000)
		for i := range x {
			x[i], z[i] = 1, 1
		}
		const state, threshold = 17, 1 << 62
		DropOut(y, x, state, threshold, 3)
		DropOut(z, z, state, threshold, 3)
		for i, v := range y {
			want := float32(0)
			if Scramble(state+uint64(i)*Golden) >= threshold {
				want = 3
			}
			if v != want || z[i] != float64(want) {
				t.Fatalf("%v: element %d is %v and %v, want %v", l, i, v, z[i], want)
			}
		}
	}
}
