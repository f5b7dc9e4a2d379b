package lowrank

import (
	"math"
	"math/rand/v2"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// inverseRoot is G^-½ of a positive r×r matrix by the coupled Newton–Schulz
// iteration (Higham: Functions of Matrices, 2008, Section 6.7).
type inverseRoot[T blas.Float] struct{ y, z, t, next []T }

const (
	// mostIterations bounds the iteration; a condition of 10⁸ needs some 30.
	mostIterations = 40
	// fewIterations is the number up to which the root is as precise as rounding
	// allows.
	fewIterations = 9
)

// compute returns G^-½ and the number of iterations; the result is valid until the next
// call. Each eigenvalue below 1 grows 2¼ times an iteration until it is near 1.
func (s *inverseRoot[T]) compute(g []T, r int) (root []T, iterations int) {
	n := r * r
	s.y, s.z, s.t, s.next = sized(s.y, n), sized(s.z, n), sized(s.t, n), sized(s.next, n)
	scale := norm1(g, r)
	for i, v := range g {
		s.y[i], s.z[i] = T(float64(v)/scale), 0
	}
	for i := range r {
		s.z[i*r+i] = 1
	}
	done := blas.Pick[T](1e-3, 1e-7) // the error of the next iteration is the square
	for iterations = 1; iterations <= mostIterations; iterations++ {
		blas.Gemm(false, false, r, r, r, -0.5, s.z, r, s.y, r, 0, s.t, r)
		var off float64
		for i := range r {
			s.t[i*r+i] += 0.5
			for _, v := range s.t[i*r : (i+1)*r] {
				off = max(off, math.Abs(float64(v)))
			}
			s.t[i*r+i]++
		}
		blas.Gemm(false, false, r, r, r, 1, s.y, r, s.t, r, 0, s.next, r)
		s.y, s.next = s.next, s.y
		blas.Gemm(false, false, r, r, r, 1, s.t, r, s.z, r, 0, s.next, r)
		s.z, s.next = s.next, s.z
		if off <= done {
			break
		}
	}
	blas.Scal(T(1/math.Sqrt(scale)), s.z)
	return s.z, iterations
}

// norm1 is the largest sum of the absolute values of a column.
func norm1[T blas.Float](g []T, r int) float64 {
	var largest float64
	for j := range r {
		var sum float64
		for i := range r {
			sum += math.Abs(float64(g[i*r+j]))
		}
		largest = max(largest, sum)
	}
	return largest
}

// Orthonormal fills V, m×r, with orthonormal columns that depend on the seed alone.
func Orthonormal[T blas.Float](v []T, s Side, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, uint64(s.Size)))
	for i := range v {
		v[i] = T(rng.NormFloat64())
	}
	var root inverseRoot[T]
	m, r := s.Size, s.Rank
	gram, w := make([]T, r*r), make([]T, m*r)
	for range 2 {
		blas.Gemm(true, false, r, r, m, 1, v, r, v, r, 0, gram, r)
		n, _ := root.compute(gram, r)
		copy(w, v)
		blas.Gemm(false, false, m, r, r, 1, w, r, n, r, 0, v, r)
	}
}
