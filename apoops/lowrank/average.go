package lowrank

import "github.com/apo-gorgonia/apo/apoops/blas"

// Average is what a side is learned from: running averages over steps, all 0 at first,
// with V as it is at the time. A dense side, whose V is I, has N and Count alone.
type Average[T blas.Float] struct {
	Y     []T // of TᵀTV, m×r
	N     []T // of VᵀTᵀTV, r×r
	H     []T // one number, of the energy of T in a direction outside of V
	Count []T // one number, the steps so far
}

// AverageLen is the number of elements of an Average, whose parts lie one after the
// other.
func (s Side) AverageLen() int {
	n := s.Core()*s.Core() + 1
	if !s.Dense() {
		n += s.Size*s.Rank + 1
	}
	return n
}

// ViewAverage is the Average that lies in a, of AverageLen elements.
func ViewAverage[T blas.Float](s Side, a []T) Average[T] {
	n := s.Core() * s.Core()
	if s.Dense() {
		return Average[T]{N: a[:n:n], Count: a[n : n+1 : n+1]}
	}
	y := s.Size * s.Rank
	n += y
	return Average[T]{Y: a[:y:y], N: a[y:n:n], H: a[n : n+1 : n+1], Count: a[n+1 : n+2 : n+2]}
}
