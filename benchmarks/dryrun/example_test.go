package dryrun_test

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/dryrun"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// A run of 1000 steps has a meta-step every K steps.
func ExampleMeasure() {
	newTrainer := func() (*trainers.Trainer, error) {
		return trainers.New(layers.MLP(2, 1), graph.SquaredError, trainers.SGD(0.1), trainers.Dtype(tensor.Float64))
	}
	batch := graph.Batch{
		X: []*tensor.Dense{tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, 3, 4}))},
		T: []*tensor.Dense{tensor.New(tensor.WithShape(2, 1), tensor.WithBacking([]float64{1, 0}))},
	}
	cost, err := dryrun.Measure(context.Background(), newTrainer, func(int) graph.Batch { return batch }, dryrun.Least)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cost.Parameters, "parameters,", len(cost.Steps), "steps, a meta-step every", cost.K)
	fmt.Println(cost.Total(1000, 1000/cost.K) > 0)
	// Output:
	// 3 parameters, 11 steps, a meta-step every 10
	// true
}
