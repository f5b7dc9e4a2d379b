package apoops

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// dotSum computes inner products on all cores. The order of its partial sums,
// in float64, does not depend on the number of cores.
type dotSum[T Float] struct {
	x, y []T
	part []float64
	body func(lo, hi int)
}

func (s *dotSum[T]) dot(x, y []T) float64 {
	if s.body == nil {
		s.body = s.chunk
	}
	s.x, s.y = x, y
	s.part = sized(s.part, (len(x)+par.Grain-1)/par.Grain)
	par.For(len(x), par.Grain, s.body)
	s.x, s.y = nil, nil
	var total float64
	for _, p := range s.part {
		total += p
	}
	return total
}

func (s *dotSum[T]) chunk(lo, hi int) {
	s.part[lo/par.Grain] = blas.Dot(s.x[lo:hi], s.y[lo:hi])
}
