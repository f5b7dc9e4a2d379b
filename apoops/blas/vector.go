package blas

import (
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// The functions of this file work on short stretches of vectors, as loops that
// run on all cores have them. Those of float32 are this module's, the others gonum's, in
// assembly where it has it: a call of a shared library would cost more than it gains.

// Axpy computes y += α·x for vectors of equal length. An α of 0 leaves y as it is.
func Axpy[T Float](alpha T, x, y []T) {
	switch x := any(x).(type) {
	case []float32:
		if alpha != 0 {
			simd.AddScaled(any(y).([]float32)[:len(x)], x, float32(alpha))
		}
	case []float64:
		gonum.Implementation{}.Daxpy(len(x), float64(alpha), x, 1, any(y).([]float64), 1)
	}
}

// Scal computes x = α·x, zeros for an α of 0.
func Scal[T Float](alpha T, x []T) {
	switch x := any(x).(type) {
	case []float32:
		if alpha == 0 {
			clear(x)
			return
		}
		simd.Scale(x, float32(alpha))
	case []float64:
		gonum.Implementation{}.Dscal(len(x), float64(alpha), x, 1)
	}
}

// Dot is the inner product of vectors of equal length, added up in float64.
func Dot[T Float](x, y []T) float64 {
	switch x := any(x).(type) {
	case []float32:
		return dot32(x, any(y).([]float32))
	case []float64:
		return gonum.Implementation{}.Ddot(len(x), x, 1, any(y).([]float64), 1)
	}
	return 0
}

// dot32 adds short vectors up by itself: gonum's order depends on where y begins
// within 16 bytes, and the allocator puts arrays of less than 32 bytes anywhere.
func dot32(x, y []float32) (sum float64) {
	if len(x) >= 8 {
		return gonum.Implementation{}.Dsdot(len(x), x, 1, y, 1)
	}
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}
