package blas

import "github.com/apo-gorgonia/apo/apoops/par"

// Inner computes inner products of long vectors on all cores. The order of its
// partial sums, in float64, does not depend on the number of cores. The zero
// value is ready; it keeps scratch memory, so that a product allocates nothing,
// and must not be used by two goroutines at once.
type Inner[T Float] struct {
	x, y []T
	part []float64
	body func(lo, hi int)
}

// Product is Σ x_i·y_i of vectors of equal length.
func (s *Inner[T]) Product(x, y []T) float64 {
	if s.body == nil {
		s.body = func(lo, hi int) { s.part[lo/par.Grain] = Dot(s.x[lo:hi], s.y[lo:hi]) }
	}
	if n := (len(x) + par.Grain - 1) / par.Grain; len(s.part) != n {
		s.part = make([]float64, n)
	}
	s.x, s.y = x, y
	par.For(len(x), par.Grain, s.body)
	s.x, s.y = nil, nil
	var total float64
	for _, p := range s.part {
		total += p
	}
	return total
}
