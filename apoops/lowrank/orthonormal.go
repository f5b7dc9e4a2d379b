package lowrank

import (
	"math"
	"math/rand/v2"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// inverseRoot is G^-½ of a positive r×r matrix by the coupled Newton–Schulz
// iteration (Higham: Functions of Matrices, 2008, Section 6.7), scaled to the interval that
// holds the eigenvalues (Chen and Chow: A stable scaling of Newton–Schulz, 2014): with
// eigenvalues x of ZY from l² to 1 an iteration takes √x to ½α√x(3 - α²x),
// α² = 3/(1 + l + l²), which has the same value at l and at 1, the new l, and 1 between.
type inverseRoot[T blas.Float] struct{ y, z, t, next []T }

const (
	// mostIterations bounds the iteration; a condition of 10⁸ needs some 25.
	mostIterations = 40
	// leastRoot is the l to begin with. Eigenvalues below l² grow 2¼α² times an
	// iteration until they are above.
	leastRoot = 0.2
)

// compute returns G^-½, valid until the next call.
func (s *inverseRoot[T]) compute(g []T, r int) []T {
	n := r * r
	s.y, s.z, s.t, s.next = sized(s.y, n), sized(s.z, n), sized(s.t, n), sized(s.next, n)
	scale := min(norm1(g, r), math.Sqrt(blas.Dot(g, g)))
	for i, v := range g {
		s.y[i], s.t[i], s.z[i] = T(float64(v)/scale), T(float64(v)/scale), 0
	}
	for i := range r {
		s.z[i*r+i] = 1
	}
	done := blas.Pick[T](2e-3, 2e-7) // the error of the next iteration is ¾ of the square
	l := leastRoot
	for i := range mostIterations {
		if i > 0 {
			blas.Gemm(false, false, r, r, r, 1, s.z, r, s.y, r, 0, s.t, r)
		}
		last := offIdentity(s.t, r) <= done
		alpha := math.Sqrt(3 / (1 + l + l*l))
		if last {
			alpha = 1
		}
		l *= alpha / 2 * (3 - alpha*alpha*l*l)
		blas.Scal(T(-alpha*alpha*alpha/2), s.t)
		for i := range r {
			s.t[i*r+i] += T(1.5 * alpha)
		}
		blas.Gemm(false, false, r, r, r, 1, s.t, r, s.z, r, 0, s.next, r)
		s.z, s.next = s.next, s.z
		if last {
			break
		}
		blas.Gemm(false, false, r, r, r, 1, s.y, r, s.t, r, 0, s.next, r)
		s.y, s.next = s.next, s.y
	}
	blas.Scal(T(1/math.Sqrt(scale)), s.z)
	return s.z
}

// offIdentity is the largest element of |g - I|, NaN if one is. Between two elements of the
// diagonal lie r others.
func offIdentity[T blas.Float](g []T, r int) float64 {
	off := max(g[0]-1, 1-g[0])
	for i := r + 1; i < r*r; i += r + 1 {
		off = max(off, g[i]-1, 1-g[i], simd.MaxAbs(g[i-r:i]))
	}
	return float64(off)
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

// basis makes columns orthonormal.
type basis[T blas.Float] struct {
	gram    []T
	n, next []T
	half    []T
	inverse inverseRoot[T]
}

const (
	// mostPasses bounds the passes of orthonormalise.
	mostPasses = 5
	// nearIdentity is how far from I a Gram matrix may be for the last pass. The
	// result is off by the square of it.
	nearIdentity = 1e-3
)

// orthonormalise overwrites the m×r matrix z with v = z·N, N = (zᵀz)^-½, and returns N,
// valid until the next call; v is scratch memory at first. Rounding leaves an error that
// grows with the condition of z, which another pass removes: p is much larger than the
// least eigenvalues of C, and what is left of p(I - VVᵀ) in the space of V adds to these.
func (s *basis[T]) orthonormalise(v, z []T, m, r int) []T {
	s.gram, s.n, s.next, s.half = sized(s.gram, r*r), sized(s.n, r*r), sized(s.next, r*r), sized(s.half, r*r)
	for pass := 1; ; pass++ {
		blas.Gemm(true, false, r, r, m, 1, z, r, z, r, 0, s.gram, r)
		root := s.half
		last := offIdentity(s.gram, r) <= nearIdentity || pass == mostPasses
		if last { // one step of Newton's iteration for the root
			for i, g := range s.gram {
				root[i] = -g / 2
			}
			for i := range r {
				root[i*r+i] += 1.5
			}
		} else {
			root = s.inverse.compute(s.gram, r)
		}
		if pass == 1 {
			copy(s.n, root)
		} else {
			blas.Gemm(false, false, r, r, r, 1, s.n, r, root, r, 0, s.next, r)
			s.n, s.next = s.next, s.n
		}
		blas.Gemm(false, false, m, r, r, 1, z, r, root, r, 0, v, r)
		if last {
			return s.n
		}
		copy(z, v)
	}
}

// Orthonormal fills V, m×r, with orthonormal columns that depend on the seed alone.
func Orthonormal[T blas.Float](v []T, s Side, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, uint64(s.Size)))
	z := make([]T, len(v))
	for i := range z {
		z[i] = T(rng.NormFloat64())
	}
	new(basis[T]).orthonormalise(v, z, s.Size, s.Rank)
}
