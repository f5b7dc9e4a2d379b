package array

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// Vectors does operations on long vectors, on all cores and without allocating.
// The zero value is ready; it must not be used by two goroutines at once.
type Vectors[T apoops.Float] struct {
	x, y       []T
	a, b       T
	descending func(lo, hi int)
	averaging  func(lo, hi int)
}

// Descend is w ← w - rate·d on all cores.
func (v *Vectors[T]) Descend(w, d []T, rate T) {
	if v.descending == nil {
		v.descending = func(lo, hi int) { Descend(v.x[lo:hi], v.y[lo:hi], v.a) }
	}
	v.x, v.y, v.a = w, d, rate
	par.For(len(w), par.Grain, v.descending)
	v.x, v.y = nil, nil
}

// Average is m ← mu·m + kappa·x.
func (v *Vectors[T]) Average(m, x []T, mu, kappa T) {
	if v.averaging == nil {
		v.averaging = func(lo, hi int) {
			m := v.x[lo:hi]
			blas.Combine(m, m, v.y[lo:hi], v.a, v.b)
		}
	}
	v.x, v.y, v.a, v.b = m, x, mu, kappa
	par.For(len(m), par.Grain, v.averaging)
	v.x, v.y = nil, nil
}

// Descend is w ← w - rate·d.
func Descend[T apoops.Float](w, d []T, rate T) { blas.Axpy(-rate, d[:len(w)], w) }

// Descent moves parameters of one dtype along directions.
type Descent interface {
	// Move is θ_i ← θ_i - rate_i·d_i for all parameters.
	Move(params []*graph.Param, d []*tensor.Dense, rates []float64)
}

// NewDescent makes a Descent for parameters of a dtype.
func NewDescent(dt tensor.Dtype) (Descent, error) {
	return apoops.Choose[Descent](dt, &descent[float32]{}, &descent[float64]{})
}

type descent[T apoops.Float] struct{ Vectors[T] }

func (v *descent[T]) Move(params []*graph.Param, d []*tensor.Dense, rates []float64) {
	for i, p := range params {
		v.Descend(apoops.Elements[T](p.Value), apoops.Elements[T](d[i]), T(rates[i]))
	}
}
