package trainers

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// vectors does operations on long vectors, on all cores and without allocating.
// The zero value is ready; it must not be used by two goroutines at once.
type vectors[T apoops.Float] struct {
	x, y       []T
	a, b       T
	descending func(lo, hi int)
	averaging  func(lo, hi int)
}

// descend is w ← w - rate·d.
func (v *vectors[T]) descend(w, d []T, rate T) {
	if v.descending == nil {
		v.descending = func(lo, hi int) { descend(v.x[lo:hi], v.y[lo:hi], v.a) }
	}
	v.x, v.y, v.a = w, d, rate
	par.For(len(w), par.Grain, v.descending)
	v.x, v.y = nil, nil
}

// average is m ← mu·m + kappa·x.
func (v *vectors[T]) average(m, x []T, mu, kappa T) {
	if v.averaging == nil {
		v.averaging = func(lo, hi int) {
			m, x := v.x[lo:hi], v.y[lo:hi]
			for i := range m {
				m[i] = v.a*m[i] + v.b*x[i]
			}
		}
	}
	v.x, v.y, v.a, v.b = m, x, mu, kappa
	par.For(len(m), par.Grain, v.averaging)
	v.x, v.y = nil, nil
}

// descent moves parameters of either dtype. The zero value is ready.
type descent struct {
	single vectors[float32]
	double vectors[float64]
}

// all is θ_i ← θ_i - rate_i·d_i for all parameters.
func (v *descent) all(params []*graph.Param, d []*tensor.Dense, rates []float64) {
	for i, p := range params {
		if p.Value.Dtype() == tensor.Float32 {
			v.single.descend(p.Value.Float32s(), d[i].Float32s(), float32(rates[i]))
		} else {
			v.double.descend(p.Value.Float64s(), d[i].Float64s(), rates[i])
		}
	}
}
