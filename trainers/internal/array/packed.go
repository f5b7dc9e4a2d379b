package array

import (
	"math"
	"sync"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// PackedNorm measures arrays of 16 bits on all cores, to the bits that blas.Inner has for
// the same numbers in float32. The zero value is ready; it must not be used by two goroutines
// at once.
type PackedNorm struct {
	p    graph.Packed
	part []float64
	body func(lo, hi int)
	free sync.Pool // of *[par.Grain]float32
}

// SumSquares is Σx².
func (s *PackedNorm) SumSquares(p graph.Packed) (total float64) {
	if s.body == nil {
		s.body = s.run
		s.free.New = func() any { return new([par.Grain]float32) }
	}
	if n := (len(p.Bits) + par.Grain - 1) / par.Grain; len(s.part) != n {
		s.part = make([]float64, n)
	}
	s.p = p
	par.For(len(p.Bits), par.Grain, s.body)
	s.p = graph.Packed{}
	for _, p := range s.part {
		total += p
	}
	return total
}

func (s *PackedNorm) run(lo, hi int) {
	buf := s.free.Get().(*[par.Grain]float32)
	x := buf[:hi-lo]
	graph.Expand(x, s.p, lo)
	s.part[lo/par.Grain] = blas.Dot(x, x)
	s.free.Put(buf)
}

// Norm is the Euclidean norm.
func (s *PackedNorm) Norm(p graph.Packed) float64 { return math.Sqrt(s.SumSquares(p)) }
