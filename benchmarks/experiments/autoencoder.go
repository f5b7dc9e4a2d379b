package experiments

import (
	"context"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/datasets"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// autoencoder is Figure 4, middle. The widths are those of the encoder.
var autoencoder = &Experiment{
	Name: "fig4-autoencoder", Figure: "Figure 4, middle", Title: "Deep autoencoder on MNIST", Data: "MNIST, 60000 images",
	Paper: "a plot without numbers: APO-Precond converges faster than SGDm and Adam and is competitive with the other second-order methods, " +
		"but KFAC ends lower",
	Choices: "batches of 1000; 100 epochs; sparse initialisation with 15 incoming weights; Bernoulli cross-entropy summed over the pixels; " +
		"L2 penalty 1e-5, on biases too",
	Scales: map[Scale]Config{
		Smoke: {Widths: []int{784, 60, 30, 10}, Steps: 30, Batch: 100, Examples: 1000, Dtype: "float32", L2: 1e-5},
		Small: {Widths: []int{784, 300, 150, 75, 30}, Steps: 600, Batch: 500, Rows: 5000, Dtype: "float32", L2: 1e-5},
		Paper: {Widths: []int{784, 1000, 500, 250, 30}, Steps: 6000, Batch: 1000, Rows: 10000, Dtype: "float32", L2: 1e-5},
	},
	Methods: rivals,
	Model:   func(c Config) graph.Model { return layers.Autoencoder(c.Widths...) },
	Loss:    graph.BernoulliCrossEntropy,
	Load: func(ctx context.Context, c Config) (train, test trainers.Data, err error) {
		images, _, err := datasets.MNIST(ctx, c.Type())
		return trainers.Data{X: images.X, T: alias(images.X)}, trainers.Data{}, err
	},
}

// alias is a second header over the same memory: inputs and targets must not
// share one.
func alias(t *tensor.Dense) *tensor.Dense {
	if t == nil {
		return nil
	}
	return graph.Alias(t)
}
