package apoops

import "github.com/apo-gorgonia/apo/apoops/par"

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

// chunk sums in four lanes, which a processor can add side by side.
func (s *dotSum[T]) chunk(lo, hi int) {
	x, y := s.x[lo:hi], s.y[lo:hi]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x) && i+4 <= len(y); i += 4 {
		a += float64(x[i]) * float64(y[i])
		b += float64(x[i+1]) * float64(y[i+1])
		c += float64(x[i+2]) * float64(y[i+2])
		d += float64(x[i+3]) * float64(y[i+3])
	}
	for ; i < len(x); i++ {
		a += float64(x[i]) * float64(y[i])
	}
	s.part[lo/par.Grain] = (a + b) + (c + d)
}
