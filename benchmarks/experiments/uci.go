package experiments

import (
	"context"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// uciLoader is a loader of a UCI data set in package datasets.
type uciLoader func(ctx context.Context, dt tensor.Dtype, opts ...datasets.Option) (trainers.Data, error)

// uci is a plot of Figure 3. Its net is inputs-100-100-1 with ReLU; paperSteps is the
// number of steps of 500 epochs.
func uci(name, data string, inputs, paperSteps int, load uciLoader) *Experiment {
	widths := []int{inputs, 100, 100, 1}
	return &Experiment{
		Name: "fig3-" + name, Group: "fig3", Figure: "Figure 3", Title: "UCI " + name, Data: data,
		Paper: "a plot without numbers: APO-Precond converges as fast as the second-order methods and reaches a lower training loss than all others",
		Choices: "batches of 100; inputs and targets standardised; all rows are trained on; float32; the loss is ½(t-y)²; " +
			"He's initialisation; rates along a cosine to 0, for all methods",
		Scales: map[Scale]Config{
			Smoke: {Widths: widths, Steps: 100, Batch: 100, Examples: 2000, Dtype: "float32", Decay: toZero, DecayAll: true},
			Small: {Widths: widths, Steps: 3000, Batch: 100, Dtype: "float32", Decay: toZero, DecayAll: true},
			Paper: {Widths: widths, Steps: paperSteps, Batch: 100, Dtype: "float32", Decay: toZero, DecayAll: true},
		},
		Methods: preconditioners,
		Task: denseTask{
			model: layers.MLP, loss: graph.SquaredError, targets: vectorTargets,
			load: func(ctx context.Context, c Config) (train, test trainers.Dataset, err error) {
				train, err = load(ctx, c.Type())
				return train, nil, err
			},
		},
	}
}
