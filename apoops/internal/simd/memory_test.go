package simd

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// memory gives the operands of one call: arrays that begin offset elements after a
// boundary of 64 bytes and have canaries around them, or those that guard makes.
type memory struct {
	offset int
	guard  func(bytes int) unsafe.Pointer
	checks []func() bool
}

const margin = 16 // canaries on each side, no fewer than elements of a vector

// array is one of n elements, of which those around it equal canary.
func array[T float32 | float64](m *memory, n int, canary T) []T {
	if m.guard != nil {
		return unsafe.Slice((*T)(m.guard(n*int(unsafe.Sizeof(canary)))), n)
	}
	all := make([]T, n+2*margin+32)
	from := margin + m.offset
	for uintptr(unsafe.Pointer(&all[from-m.offset]))%64 != 0 {
		from++
	}
	for i := range all {
		all[i] = canary
	}
	m.checks = append(m.checks, func() bool {
		for i, v := range all {
			if (i < from || i >= from+n) && v != canary {
				return false
			}
		}
		return true
	})
	return all[from : from+n : from+n]
}

func (m *memory) singles(n int) []float32 { return array[float32](m, n, 1234.5) }
func (m *memory) doubles(n int) []float64 { return array[float64](m, n, 1234.5) }

// intact reports whether all canaries live.
func (m *memory) intact() bool {
	for _, ok := range m.checks {
		if !ok() {
			return false
		}
	}
	return true
}

// special are the numbers at which functions change.
var special = []float64{
	0, math.Copysign(0, -1), 1e-45, -1e-45, 1e-39, -1e-39, 1.1754944e-38, 1, -1,
	88.72284, 88.72283, -87.33655, -103.27893, -103.97208, 699.9999, 700, 700.0001, -699.9999, -700, -700.0001,
	1e30, -1e30, math.MaxFloat32, -math.MaxFloat32, math.Inf(1), math.Inf(-1), math.NaN(), 1. / 16, -1. / 16,
}

// number is one of a normal distribution, or special where rare allows it.
func number(r *rand.Rand, rare bool) float64 {
	if rare && r.IntN(4) == 0 {
		return special[r.IntN(len(special))]
	}
	return r.NormFloat64() * math.Exp(4*r.NormFloat64()-2)
}

func random[T float32 | float64](r *rand.Rand, x []T, rare bool) []T {
	for i := range x {
		x[i] = T(number(r, rare))
	}
	return x
}

// bitsOf appends the bits of x to bits, those of every NaN alike.
func bitsOf[T float32 | float64](bits []uint64, x ...T) []uint64 {
	for _, v := range x {
		b := math.Float64bits(float64(v))
		if v != v {
			b = math.Float64bits(math.NaN())
		}
		bits = append(bits, b)
	}
	return bits
}

// routine is a call with n elements, of random numbers, on memory of its own; it
// returns the bits of its results.
type routine struct {
	name string
	run  func(m *memory, n int, r *rand.Rand, rare bool) []uint64
}

// compare runs routines at level l and in Go.
func compare(t *testing.T, which []routine, l Level, n, offset int, seed uint64, guard func(int) unsafe.Pointer) {
	t.Helper()
	for _, f := range which {
		at := func(l Level) []uint64 {
			defer Set(Set(l))
			m := &memory{offset: offset, guard: guard}
			bits := f.run(m, n, rand.New(rand.NewPCG(seed, uint64(n))), seed%2 == 1)
			if !m.intact() {
				t.Fatalf("%s, %v: %d elements from %d on: memory beside them is written to", f.name, l, n, offset)
			}
			return bits
		}
		want, got := at(Off), at(l)
		for i, w := range want {
			if got[i] != w {
				t.Fatalf("%s, %v: %d elements from %d on, seed %d: result %d is %v, want %v", f.name, l, n, offset, seed, i, math.Float64frombits(got[i]), math.Float64frombits(w))
			}
		}
	}
}

// vectors are the levels that are not Go.
func vectors(t *testing.T) []Level {
	t.Helper()
	l := Levels()[1:]
	if len(l) == 0 {
		t.Skip("the processor has no vector instructions that are used here: Go runs alone")
	}
	return l
}
