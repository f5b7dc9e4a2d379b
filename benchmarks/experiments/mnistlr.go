package experiments

import (
	"context"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// farStarts are initial rates far from the best one.
var farStarts = []Variant{{Name: "from-low", Factor: 0.01}, {Name: "from-high", Factor: 10}}

// mnistRates is Figure 4, right.
var mnistRates = &Experiment{
	Name: "fig4-mnist-lr", Figure: "Figure 4, right", Title: "Learning rates of an MLP on MNIST", Data: "MNIST, 60000 images and 10000 for the test",
	Paper: "a plot without numbers for SGDm and RMSprop: with APO both converge faster and reach a substantially lower training loss " +
		"than with their best fixed rates",
	Choices: "Adam as a third optimizer; step decay by 10 at 3/8 and 5/8 of the run; cross-entropy; He's initialisation; " +
		"APO starts at a hundredth of the fixed rate that the search found (from low) and at ten times it (from high)" + otherRatesOf("SGDm, RMSprop and Adam at a fixed rate"),
	Scales: map[Scale]Config{
		Smoke: {Widths: []int{784, 50, 10}, Steps: 40, Batch: 100, Examples: 1000, Dtype: "float32"},
		Small: {Widths: []int{784, 300, 300, 10}, Steps: 1800, Batch: 100, Rows: 10000, Dtype: "float32"},
		Paper: {Widths: []int{784, 1000, 1000, 10}, Steps: 60000, Batch: 100, Dtype: "float32"},
	},
	Rates: true,
	Methods: []string{
		"sgdm", "sgdm-decay", "sgdm-apo", "sgdm-apo-calibrated",
		"rmsprop", "rmsprop-decay", "rmsprop-apo", "rmsprop-apo-calibrated",
		"adam", "adam-decay", "adam-apo", "adam-apo-calibrated",
	},
	Variants: map[string][]Variant{
		"sgdm-apo": farStarts, "rmsprop-apo": farStarts, "adam-apo": farStarts,
		"sgdm-apo-calibrated": farStarts, "rmsprop-apo-calibrated": farStarts, "adam-apo-calibrated": farStarts,
	},
	OtherRates: []string{"sgdm", "rmsprop", "adam"},
	Task: denseTask{
		model: layers.MLP, loss: graph.SoftmaxCrossEntropy, targets: classTargets,
		load: func(ctx context.Context, c Config) (train, test trainers.Dataset, err error) {
			train, test, err = datasets.MNIST(ctx, c.Type())
			if err == nil {
				test, err = part(test, 0, c.Examples)
			}
			return train, test, err
		},
	},
}
