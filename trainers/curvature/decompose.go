package curvature

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// decompose calls f for each layer, on one of the members, and counts the failures. A
// layer whose factors were never finite fails too. results are the arrays that f makes.
// fresh are the layers that have new ones.
func (c *curvature[T]) decompose(f func(l *factors[T]) error, results func(l *factors[T]) []*tensor.Dense) (fresh []*factors[T], failed int, err error) {
	layers := c.active()
	w := work[T]{
		members: c.t.Members,
		compute: func(i int) error {
			if layers[i].updates[0] == 0 {
				return errors.New("no factors yet")
			}
			return f(layers[i])
		},
		results: func(i int) []*tensor.Dense { return results(layers[i]) },
	}
	for _, l := range layers {
		w.cost = append(w.cost, cubes(l.Rows, l.Cols))
	}
	failures, err := w.do()
	for i, l := range layers {
		if !failures[i] {
			fresh = append(fresh, l)
		}
	}
	return fresh, count(failures), err
}

// cubes is in proportion to the time that decomposing a matrix of that order on either side
// takes.
func cubes(rows, cols int) float64 { return math.Pow(float64(rows), 3) + math.Pow(float64(cols), 3) }
