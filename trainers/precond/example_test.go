package precond_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// The inputs of a linear regression differ in scale by a factor of 30. SGD at the
// largest stable rate hardly moves the second weight; P learns a large step for it.
func Example() {
	x := tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float64{3, 0.1, -3, 0.1, 3, -0.1, -3, -0.1}))
	y := tensor.New(tensor.WithShape(4, 1), tensor.WithBacking([]float64{3.1, -2.9, 2.9, -3.1})) // weights of 1 and 1
	batch := graph.NewBatch(x, y)
	for _, o := range []trainers.Optimizer{trainers.SGD(0.2), precond.Relative(0)} {
		tr, err := trainers.New(layers.DeepLinear(2, 1), graph.SquaredError, o, trainers.Dtype(tensor.Float64), trainers.EveryK(5))
		if err != nil {
			fmt.Println(err)
			return
		}
		for range 100 {
			if _, err := tr.Step(batch); err != nil {
				fmt.Println(err)
				return
			}
		}
		fmt.Printf("%s: %.2f\n", o.Name(), tr.Params()[0].Value.Float64s())
	}
	// Output:
	// sgd: [1.00 0.13]
	// precond-plain: [0.94 0.85]
}

// The forms of APO-Precond, with the λ_FSD and λ_WSD that they begin with.
func ExampleTrustRegion() {
	longer := precond.Plain(0.1)
	longer.Clip, longer.Relative = 0.001, precond.RelativeSteps()
	longer.Relative.Step = 0.2
	for _, o := range []trainers.Optimizer{precond.New(0.1), precond.Plain(0.1), precond.Relative(0), precond.TrustRegion(0), longer} {
		if err := o.Validate(); err != nil {
			fmt.Println(err)
			return
		}
		d := o.Defaults()
		fmt.Println(o.Name(), d.FSD, d.WSD)
	}
	// Output:
	// precond 10 0.01
	// precond-plain 1 0.1
	// precond-plain 13 0.003
	// precond-plain 5 0.4
	// precond-plain 13 0.003
}
