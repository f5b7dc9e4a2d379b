package lowrank

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// newton iterates C ← GCGᵀ, G = 1½I - ½CM, towards M⁻¹.
type newton[T blas.Float] struct {
	m     []T // N + ρI
	a, b  []T
	power [2][]T
}

// steady is the largest ‖M^½CM^½‖ that is iterated from. The iteration takes an eigenvalue
// x of it to x(1½ - ½x)², which rises from 0 to 1 between 0 and 1 and falls from there on:
// beyond 1 directions would change places, and a side whose scale is set anew after each step
// could go on doing so. It converges from below 5, so that an estimate of the norm from below
// does no harm.
const steady = 1

// solve writes C after some iterations from c, which it overwrites, for M = n + ρI of r×r.
func (s *newton[T]) solve(next, c, n []T, rho float64, r, iterations int) {
	s.m, s.a, s.b = sized(s.m, r*r), sized(s.a, r*r), sized(s.b, r*r)
	copy(s.m, n)
	for i := range r {
		s.m[i*r+i] += T(rho)
	}
	for i := range iterations {
		if i > 0 {
			copy(c, next)
		}
		scale := 1.0
		if norm := s.norm(c, r); norm > steady {
			scale = steady / norm
		}
		s.iterate(next, c, T(scale), r)
	}
}

// iterate writes G(scale·C)Gᵀ.
func (s *newton[T]) iterate(next, c []T, scale T, r int) {
	blas.Gemm(false, false, r, r, r, -scale/2, c, r, s.m, r, 0, s.a, r)
	for i := range r {
		s.a[i*r+i] += 1.5
	}
	blas.Gemm(false, false, r, r, r, scale, s.a, r, c, r, 0, s.b, r)
	blas.Gemm(false, true, r, r, r, 1, s.b, r, s.a, r, 0, next, r)
	for i := range r {
		for j := range i {
			mean := (next[i*r+j] + next[j*r+i]) / 2
			next[i*r+j], next[j*r+i] = mean, mean
		}
	}
}

// powerIterations estimate a norm; the estimate is never above it.
const powerIterations = 8

// norm estimates the largest eigenvalue of CM, that is of M^½CM^½, by power iterations
// on v ← CMv: with the length √(vᵀMv) that is iterating M^½CM^½ on M^½v.
func (s *newton[T]) norm(c []T, r int) (norm float64) {
	for i := range s.power {
		s.power[i] = sized(s.power[i], r)
	}
	v, mv := s.power[0], s.power[1]
	for i := range v {
		_, part := math.Modf(float64(i) * math.Phi) // orthogonal to nothing in particular
		v[i] = T(0.5 + part)
	}
	for i := range powerIterations + 1 {
		multiplySymmetric(mv, s.m, v)
		length := math.Sqrt(max(blas.Dot(v, mv), 0))
		if !(length > 0) {
			return 0
		}
		if i > 0 {
			norm = length
		}
		blas.Scal(T(1/length), mv)
		multiplySymmetric(v, c, mv)
	}
	return norm
}

// multiplySymmetric writes Ax for a symmetric A.
func multiplySymmetric[T blas.Float](y, a, x []T) {
	clear(y)
	simd.AddRows(y, a, x, len(x))
}
