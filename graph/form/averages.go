package form

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
)

// averages are exponential running averages that start at 0.
type averages[T apoops.Float] []T

func newAverages[T apoops.Float](n int) averages[T] { return make([]T, n) }

// add takes x in at the t-th step, from 1, and returns the factor that corrects the
// bias towards 0: v ← decay·v + (1-decay)·x, 1/(1-decayᵗ).
func (v averages[T]) add(x []T, decay, t float64) (correct float64) {
	old, keep := T(decay), T(1-decay)
	for i, a := range x {
		v[i] = old*v[i] + keep*a
	}
	return 1 / (1 - math.Pow(decay, t))
}
