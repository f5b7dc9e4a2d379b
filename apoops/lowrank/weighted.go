package lowrank

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// weighted are rows with weights.
type weighted[T blas.Float] struct {
	scaled []T // w_i/n·x_i
	parts  []float64
	n, r   int

	x, w       []T
	scale, sum func(lo, hi int)
}

// weigh sets scaled for n rows of length r.
func (s *weighted[T]) weigh(x, w []T, n, r int) {
	if s.scale == nil {
		s.scale, s.sum = s.scaleRows, s.sumRows
	}
	s.scaled, s.n, s.r, s.x, s.w = sized(s.scaled, n*r), n, r, x, w
	par.For(n, par.RowGrain(r), s.scale)
	s.x, s.w = nil, nil
}

func (s *weighted[T]) scaleRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		w, out := s.w[i]/T(s.n), s.scaled[i*s.r:(i+1)*s.r]
		for j, v := range s.x[i*s.r : (i+1)*s.r] {
			out[j] = w * v
		}
	}
}

// gram averages 1/n Σ w_i x_i x_iᵀ for the rows that were weighed last.
func (s *weighted[T]) gram(average, x []T, decay float64) {
	blas.Gemm(true, false, s.r, s.r, s.n, T(1-decay), x, s.r, s.scaled, s.r, T(decay), average, s.r)
}

// energy is 1/n Σ w_i ‖x_i‖² for rows of length r.
func (s *weighted[T]) energy(x, w []T) (sum float64) {
	s.parts, s.x, s.w = sized(s.parts, s.n), x, w
	par.For(s.n, par.RowGrain(s.r), s.sum)
	s.x, s.w = nil, nil
	for _, p := range s.parts {
		sum += p
	}
	return sum / float64(s.n)
}

func (s *weighted[T]) sumRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		x := s.x[i*s.r : (i+1)*s.r]
		s.parts[i] = float64(s.w[i]) * blas.Dot(x, x)
	}
}
