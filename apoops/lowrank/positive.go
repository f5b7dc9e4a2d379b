package lowrank

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// keeper keeps C positive where rounding does not: numbers of T hold a matrix to some 1e-7
// of its largest eigenvalue, and less than that may be left of the least one. A step
// from a C that has a negative eigenvalue would make it grow.
type keeper[T blas.Float] struct {
	u []float64 // row by row, what Gaussian elimination leaves
	f []float64 // of a row, the multiples of the rows above
}

// keep raises all eigenvalues of C, r×r, where the least one is less than a tiny part of
// the largest ones of C and P.
func (s *keeper[T]) keep(c []T, p float64, r int) {
	least := max(p, largestDiagonal(c, r)) * blas.Pick[T](1e-6, 1e-14)
	if !(least > 0) || math.IsInf(least, 0) {
		return
	}
	by := least
	for range mostRaises {
		if s.above(c, least, r) {
			return
		}
		for i := range r {
			c[i*r+i] += T(by)
		}
		by *= 2
	}
}

// mostRaises bounds the work on a matrix that is not finite.
const mostRaises = 60

func largestDiagonal[T blas.Float](c []T, r int) (largest float64) {
	for i := range r {
		largest = max(largest, float64(c[i*r+i]))
	}
	return largest
}

// above reports whether all eigenvalues of C are above least, by the pivots of C - least·I.
func (s *keeper[T]) above(c []T, least float64, r int) bool {
	s.u, s.f = sized(s.u, r*r), sized(s.f, r)
	for i := range r {
		row := s.u[i*r:][i:r]
		for j, v := range c[i*r:][i:r] {
			row[j] = float64(v)
		}
		row[0] -= least
		for k := range i {
			s.f[k] = -s.u[k*r+i] / s.u[k*r+k]
		}
		simd.AddRows(row, s.u[i:], s.f[:i], r)
		if !(row[0] > 0) {
			return false
		}
	}
	return true
}
