package graph_test

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// A loss of one's own is made of nodes: here Σ_j (√(1 + (y_j-t_j)²) - 1), the pseudo-Huber loss, with
// half the squared distance of outputs as its discrepancy. Far targets pull no harder than near ones.
func ExampleLoss() {
	huber := graph.Loss{
		Name: "pseudo-huber", Divergence: graph.HalfSquared,
		Build: func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
			d, err := gorgonia.Sub(y, t[0])
			if err != nil {
				return nil, err
			}
			squares, err := gorgonia.Square(d)
			if err != nil {
				return nil, err
			}
			one := gorgonia.NewConstant(float32(1))
			roots, err := gorgonia.Sqrt(gorgonia.Must(gorgonia.Add(one, squares)))
			if err != nil {
				return nil, err
			}
			rows, err := apoops.Sum(gorgonia.Must(gorgonia.Sub(roots, one)), 1)
			if err != nil {
				return nil, err
			}
			return gorgonia.Mean(rows)
		},
	}
	// y = 2x, but for one target.
	x := tensor.New(tensor.WithShape(5, 1), tensor.WithBacking([]float32{-2, -1, 0, 1, 2}))
	y := tensor.New(tensor.WithShape(5, 1), tensor.WithBacking([]float32{-4, -2, 20, 2, 4}))
	for _, loss := range []graph.Loss{huber, graph.SquaredError} {
		tr, err := trainers.New(layers.MLP(1, 1), loss, trainers.Adam(0.1))
		check(err)
		for range 500 {
			_, err := tr.Step(graph.NewBatch(x, y))
			check(err)
		}
		fmt.Printf("%s: %.1f\n", loss.Name, tr.Params()[0].Value.Float32s())
	}
	// Output:
	// pseudo-huber: [2.0 0.3]
	// squared-error: [2.0 4.0]
}

// One-hot rows times the weights of their classes: class 1, of one example in four, counts three
// times.
func ExampleLoss_classWeights() {
	x := tensor.New(tensor.WithShape(4, 1), tensor.WithBacking([]float32{0, 0, 0, 0}))
	plain := tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float32{1, 0, 1, 0, 1, 0, 0, 1}))
	weighted := tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float32{1, 0, 1, 0, 1, 0, 0, 3}))
	for _, targets := range []*tensor.Dense{plain, weighted} {
		tr, err := trainers.New(layers.MLP(1, 2), graph.SoftCrossEntropy, trainers.Adam(0.01))
		check(err)
		for range 500 {
			_, err := tr.Step(graph.NewBatch(x, targets))
			check(err)
		}
		b := tr.Params()[0].Value.Float32s()[2:] // behind the weights
		fmt.Printf("odds of class 0: %.1f to 1\n", math.Exp(float64(b[0]-b[1])))
	}
	// Output:
	// odds of class 0: 3.0 to 1
	// odds of class 0: 1.0 to 1
}
