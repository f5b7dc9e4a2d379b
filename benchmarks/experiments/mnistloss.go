package experiments

import (
	"context"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// notThePapers is the result that the paper reports of an experiment of this project.
const notThePapers = "no such experiment"

// mnistLoss compares preconditioners by the training loss of a wide MLP.
var mnistLoss = &Experiment{
	Name: "mnist-mlp", Figure: NotInThePaper, Title: "Training loss of an MLP of width 1000 on MNIST", Data: "MNIST, 60000 images",
	Paper:   notThePapers,
	Choices: "batches of 128; cross-entropy; He's initialisation; rates along a cosine to 0; training loss on the first 10000 images",
	Scales: map[Scale]Config{
		Smoke: {Widths: []int{784, 50, 50, 10}, Steps: 40, Batch: 100, Examples: 1000, Dtype: "float32", Decay: toZero, DecayAll: true},
		Small: {Widths: []int{784, 1000, 1000, 10}, Steps: 1000, Batch: 128, Rows: 10000, Dtype: "float32", Decay: toZero, DecayAll: true},
		Paper: {Widths: []int{784, 1000, 1000, 10}, Steps: 2000, Batch: 128, Rows: 10000, Dtype: "float32", Decay: toZero, DecayAll: true},
	},
	Methods: preconditioners,
	Task:    classifyMNIST,
}

// classifyMNIST trains an MLP on the images of MNIST, without a test.
var classifyMNIST = denseTask{
	model: layers.MLP, loss: graph.SoftmaxCrossEntropy, targets: classTargets,
	load: func(ctx context.Context, c Config) (train, test trainers.Dataset, err error) {
		train, _, err = datasets.MNIST(ctx, c.Type())
		return train, nil, err
	},
}
