package curvature

import (
	"cmp"
	"math"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// decompose calls f for each layer, on all cores, and counts the failures. A
// layer whose factors were never finite fails too. The largest come first, or one core
// would be left with the last of them.
func (c *curvature[T]) decompose(f func(l *factors[T]) error) (failed int) {
	layers := largestFirst(c.active())
	return countFailures(len(layers), func(i int) error {
		if layers[i].updates[0] == 0 {
			return errors.New("no factors yet")
		}
		return f(layers[i])
	})
}

// largestFirst orders layers by the time that decomposing them takes.
func largestFirst[T apoops.Float](layers []*factors[T]) []*factors[T] {
	slices.SortStableFunc(layers, func(a, b *factors[T]) int { return cmp.Compare(b.cost(), a.cost()) })
	return layers
}

// cost is in proportion to the time that decomposing both factors takes.
func (l *factors[T]) cost() float64 {
	return math.Pow(float64(l.Rows), 3) + math.Pow(float64(l.Cols), 3)
}
