package form

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// relativeFactor moves one n×n factor, F ← F - a·F·Ê.
type relativeFactor[T apoops.Float] struct {
	n     int
	x, y  []T // of the power iteration; x goes on from step to step
	moved []T // F·Ê

	// operands of the current step
	e, v  []T
	scale T
	body  func(lo, hi int)
}

func newRelativeFactor[T apoops.Float](n int) relativeFactor[T] {
	f := relativeFactor[T]{n: n, x: make([]T, n), y: make([]T, n), moved: make([]T, n*n)}
	f.restart()
	return f
}

// restart sets the vector of the power iteration to a unit vector of equal elements.
func (f *relativeFactor[T]) restart() {
	for i := range f.x {
		f.x[i] = T(1 / math.Sqrt(float64(f.n)))
	}
}

// margin is how far below 1 the norm of a relative change is kept: ‖Ê‖ ≤ 1/margin.
const margin = 1.2

// step scales ε·E in place to Ê_ij = 2E_ij/(v_i+v_j), takes at most the part of it
// that has a spectral norm of 1/margin, and moves the factor.
func (f *relativeFactor[T]) step(factor, e, v []T, correct, epsilon, size float64) {
	if f.body == nil {
		f.body = f.scaleRows
	}
	f.e, f.v, f.scale = e, v, T(2/(epsilon*correct))
	par.For(f.n, max(1, par.Grain/f.n), f.body)
	f.e, f.v = nil, nil
	if norm := f.spectralNorm(e); norm > 1/margin {
		size /= norm * margin
	}
	f.move(factor, e, T(-size))
}

// move is F ← F + t·F·Y.
func (f *relativeFactor[T]) move(factor, y []T, t T) {
	n := f.n
	blas.Gemm(false, false, n, n, n, t, factor, n, y, n, 0, f.moved, n)
	par.For(len(factor), par.Grain, func(lo, hi int) { blas.Axpy(1, f.moved[lo:hi], factor[lo:hi]) })
}

// scaleRows makes Ê of ε·E, 0 where both averages are 0.
func (f *relativeFactor[T]) scaleRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		row := f.e[i*f.n : (i+1)*f.n]
		for j, e := range row {
			if s := f.v[i] + f.v[j]; s > 0 {
				row[j] = e * f.scale / s
			} else {
				row[j] = 0
			}
		}
	}
}

// spectralNorm estimates ‖e‖₂ by two power iterations that go on from the last
// step's vector.
func (f *relativeFactor[T]) spectralNorm(e []T) (norm float64) {
	n := f.n
	for range 2 {
		blas.Gemm(false, false, n, 1, n, 1, e, n, f.x, 1, 0, f.y, 1)
		blas.Gemm(true, false, n, 1, n, 1, e, n, f.y, 1, 0, f.x, 1)
		norm = math.Sqrt(blas.Dot(f.x, f.x)) // ‖EᵀEx‖ of a unit x
		if !(norm > 0) || math.IsInf(norm, 0) {
			f.restart()
			return 0
		}
		blas.Scal(T(1/norm), f.x)
	}
	return math.Sqrt(norm)
}
