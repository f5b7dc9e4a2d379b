package experiments

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// autoencoder is Figure 4, middle. Config.Widths are those of the encoder.
var autoencoder = &Experiment{
	Name: "fig4-autoencoder", Figure: "Figure 4, middle", Title: "Deep autoencoder on MNIST", Data: "MNIST, 60000 images",
	Paper: "a plot without numbers: APO-Precond converges faster than SGDm and Adam and is competitive with the other second-order methods, " +
		"but KFAC ends lower",
	Choices: "batches of 1000; 100 epochs; sparse initialisation with 15 incoming weights; Bernoulli cross-entropy summed over the pixels; rates along a cosine to 0, for all methods; " +
		"L2 penalty 1e-5, on biases too; at the small scale images are averaged over squares of 2×2 pixels" + otherRatesOf("SGDm and Adam"),
	Scales: map[Scale]Config{
		Smoke: {Widths: []int{784, 60, 30, 10}, Steps: 30, Batch: 100, Examples: 1000, Dtype: "float32", L2: 1e-5, Decay: toZero, DecayAll: true},
		Small: {Widths: []int{196, 200, 100, 50, 20}, Steps: 1000, Batch: 500, Rows: 5000, Pool: 2, Dtype: "float32", L2: 1e-5, Decay: toZero, DecayAll: true},
		Paper: {Widths: []int{784, 1000, 500, 250, 30}, Steps: 6000, Batch: 1000, Rows: 10000, Dtype: "float32", L2: 1e-5, Decay: toZero, DecayAll: true},
	},
	Methods:    preconditioners,
	OtherRates: []string{"sgdm", "adam"},
	Task:       encodeMNIST,
}

// encodeMNIST trains an autoencoder on the images of MNIST.
var encodeMNIST = denseTask{
	model: layers.Autoencoder, loss: graph.BernoulliCrossEntropy, targets: inputTargets,
	load: func(ctx context.Context, c Config) (train, test trainers.Dataset, err error) {
		images, _, err := datasets.MNIST(ctx, c.Type())
		if err == nil && c.Pool > 1 {
			images.X, err = pool(images.X, 28, c.Pool)
		}
		return trainers.Data{X: images.X, T: alias(images.X)}, nil, err
	},
}

// pool averages square images, one in each row of x, over squares of by×by
// pixels. by must divide the side.
func pool(x *tensor.Dense, side, by int) (*tensor.Dense, error) {
	if x.Shape()[1] != side*side || side%by != 0 {
		return nil, errors.Errorf("experiments: images of %v pixels cannot be averaged over squares of %d", x.Shape()[1], by)
	}
	average, err := apoops.Choose(x.Dtype(), poolOf[float32], poolOf[float64])
	if err != nil {
		return nil, errors.WithMessage(err, "experiments: images")
	}
	return average(x, side, by), nil
}

func poolOf[F apoops.Float](x *tensor.Dense, side, by int) *tensor.Dense {
	n, short := x.Shape()[0], side/by
	from, to := apoops.Elements[F](x), make([]F, n*short*short)
	for i := range n {
		image, average := from[i*side*side:], to[i*short*short:]
		for row := range side {
			sums := average[row/by*short:][:short]
			for col := range sums {
				for _, v := range image[row*side+col*by:][:by] {
					sums[col] += v / F(by*by)
				}
			}
		}
	}
	return tensor.New(tensor.WithShape(n, short*short), tensor.WithBacking(to))
}

// alias is a second tensor header over the same memory. Inputs and targets must not
// share a header.
func alias(t *tensor.Dense) *tensor.Dense {
	if t == nil {
		return nil
	}
	return graph.Alias(t)
}
