package experiments_test

import (
	"context"
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/trainers"
)

// The registry has the experiments by name and by group.
func ExampleFind() {
	found, err := experiments.Find("fig4-illcond")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range found {
		c := e.Scales[experiments.Small]
		fmt.Printf("%s (%s): %s, %d steps\n", e.Name, e.Figure, e.Task.Describe(c), c.Steps)
	}
	// Output:
	// fig4-illcond-6 (Figure 4, left): widths 6-6-10, 8000 steps
	// fig4-illcond-32 (Figure 4, left): widths 32-32-32, 8000 steps
}

// An experiment's task makes the model and the examples of a setting.
func ExampleExperiment_Problem() {
	e, err := experiments.Get("fig4-illcond-6")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := e.Scales[experiments.Smoke]
	problem, err := e.Problem(context.Background(), c)
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := e.Task.Model(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	tr, err := trainers.New(model, e.Task.Loss(), trainers.Adam(1e-3), trainers.EveryK(0), trainers.Dtype(c.Type()))
	if err != nil {
		fmt.Println(err)
		return
	}
	batches, err := trainers.NewBatches(problem.Train, c.Batch, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	before, err := tr.Step(batches.At(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	for step := 1; step < 20; step++ {
		if _, err := tr.Step(batches.At(step)); err != nil {
			fmt.Println(err)
			return
		}
	}
	after, err := tr.Evaluate(problem.Evaluate, e.Task.Work(c).EvaluationBatch)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(problem.Train.Len(), "examples; the loss falls:", after.Loss < before.Loss)
	// Output: 1000 examples; the loss falls: true
}
