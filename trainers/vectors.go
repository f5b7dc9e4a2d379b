package trainers

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
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
