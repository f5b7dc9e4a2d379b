package curvature

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// statistics keep L, R and the diagonals of Shampoo as the training does.
type statistics[T apoops.Float] struct {
	precision *precision.Precision
	before    []T
}

// keep names the arrays of a block.
func (s *statistics[T]) keep(b *shampooBlock[T]) {
	s.precision.KeepStored(precision.Factors, b.stored...)
	for _, p := range b.parts {
		s.precision.KeepStored(precision.Factors, p.stored[:2]...)
		s.precision.KeepStored(precision.Inverses, p.stored[2:]...)
	}
}

// advance has accumulate change arrays and rounds them. What takes them beyond the range
// of 16 bits is taken back and counts as a failure.
func (s *statistics[T]) advance(arrays []*tensor.Dense, accumulate func()) (failed int) {
	if !s.precision.Low(precision.Factors) {
		accumulate()
		return 0
	}
	s.before = s.before[:0]
	for _, a := range arrays {
		s.before = append(s.before, apoops.Elements[T](a)...)
	}
	accumulate()
	if s.precision.Fits(precision.Factors, arrays...) {
		s.precision.Round(precision.Factors, arrays...)
		return 0
	}
	rest := s.before
	for _, a := range arrays {
		rest = rest[copy(apoops.Elements[T](a), rest):]
	}
	return 1
}
