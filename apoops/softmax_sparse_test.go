package apoops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestSparsemax compares with the threshold that bisection finds.
func TestSparsemax(t *testing.T) {
	rng := rand.New(rand.NewPCG(65, 1))
	for _, shape := range []tensor.Shape{{5}, {3, 4}, {2, 3, 4}} {
		for axis := range shape {
			_, along, after := around(shape, axis)
			opTest{
				name:   fmt.Sprintf("sparsemax of %v along %d", shape, axis),
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return SparsemaxAlong(in[0], axis) },
				inputs: []*tensor.Dense{randn(rng, shape...)},
				wrt:    []int{0},
				want: func(in [][]float64) []float64 {
					y := make([]float64, len(in[0]))
					for i := range y {
						if i/after%along != 0 {
							continue
						}
						lo, hi := -10., 10.
						for range 100 {
							τ, sum := (lo+hi)/2, 0.
							for j := range along {
								y[i+j*after] = max(in[0][i+j*after]-τ, 0)
								sum += y[i+j*after]
							}
							if sum > 1 {
								lo = τ
							} else {
								hi = τ
							}
						}
					}
					return y
				},
			}.run(t)
		}
	}
}
