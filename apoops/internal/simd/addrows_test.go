package simd

import (
	"math/rand/v2"
	"testing"
)

func init() {
	routines = append(routines,
		rows("AddRows", (*memory).singles),
		rows("AddRows of float64", (*memory).doubles),
		routine{"MaxAbs", func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			return bitsOf(nil, MaxAbs(random(r, m.singles(n), rare)))
		}},
	)
}

// rows is AddRows of up to four rows with a gap of up to three elements between them.
func rows[T Float](name string, array func(*memory, int) []T) routine {
	return routine{name, func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		count, stride := r.IntN(5), n+r.IntN(4)
		y, f := random(r, array(m, n), rare), random(r, array(m, count), rare)
		a := random(r, array(m, max(0, (count-1)*stride+n)), rare)
		AddRows(y, a, f, stride)
		return bitsOf(bitsOf(bitsOf(nil, y...), a...), f...)
	}}
}

// TestAddRowsEqualsAddScaled of one row after the other, and shortens nothing: rows that are
// too few are a panic, not memory beyond them.
func TestAddRowsEqualsAddScaled(t *testing.T) {
	const rows, n, stride = 5, 37, 40
	y, a, f := normal(n), normal(rows*stride), normal(rows)
	want := append([]float32(nil), y...)
	for i, v := range f {
		AddScaled(want, a[i*stride:], v)
	}
	AddRows(y, a, f, stride)
	for i := range y {
		if y[i] != want[i] {
			t.Fatalf("element %d is %v, not %v", i, y[i], want[i])
		}
	}
	AddRows(y[:0], a, f, stride)
	AddRows(y, nil, nil, stride)
	for i := range y {
		if y[i] != want[i] {
			t.Fatalf("element %d is %v, not %v: nothing was to be added", i, y[i], want[i])
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("rows that are not there were added")
		}
	}()
	short := a[: (rows-1)*stride+n-1 : (rows-1)*stride+n-1]
	AddRows(y, short, f, stride)
}
