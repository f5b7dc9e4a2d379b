package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// newtonSchulz orthogonalises matrices of one shape: of U·Σ·Vᵀ it makes about U·Vᵀ, by
// steps of the quintic iteration of Jordan et al. (2024),
//
//	X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, from X = G/‖G‖_F
//
// whose coefficients bring all singular values but the smallest to about 1, between 0.7 and
// 1.2, in five steps. Where there are more rows than columns it is the same for Xᵀ.
type newtonSchulz[T apoops.Float] struct {
	rows, cols int
	gram, b    []T // A and b·A + c·A², of the shorter side
	next       []T
	inner      blas.Inner[T]
}

const (
	quinticA = 3.4445
	quinticB = -4.7750
	quinticC = 2.0315
)

func newNewtonSchulz[T apoops.Float](rows, cols int) *newtonSchulz[T] {
	n := min(rows, cols)
	return &newtonSchulz[T]{rows: rows, cols: cols, gram: make([]T, n*n), b: make([]T, n*n), next: make([]T, rows*cols)}
}

// orthogonalise takes so many steps from x, rows×cols, in place.
func (s *newtonSchulz[T]) orthogonalise(x []T, steps int) {
	x = x[:s.rows*s.cols]
	scale := T(1 / (math.Sqrt(s.inner.Product(x, x)) + 1e-7))
	for i := range x {
		x[i] *= scale
	}
	tall, n, k := s.rows > s.cols, min(s.rows, s.cols), max(s.rows, s.cols)
	for range steps {
		blas.Syrk(tall, n, k, 1, x, s.cols, 0, s.gram, n)
		copy(s.b, s.gram)
		blas.Syrk(false, n, n, quinticC, s.gram, n, quinticB, s.b, n)
		copy(s.next, x)
		if tall {
			blas.Gemm(false, false, s.rows, s.cols, n, 1, x, s.cols, s.b, n, quinticA, s.next, s.cols)
		} else {
			blas.Gemm(false, false, s.rows, s.cols, n, 1, s.b, n, x, s.cols, quinticA, s.next, s.cols)
		}
		copy(x, s.next)
	}
}
