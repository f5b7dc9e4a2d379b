package experiments

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// imageSet is a set of labelled images of 3×32×32.
type imageSet struct {
	name, title   string // in experiments' names, in texts
	classes, rows int
	load          func(ctx context.Context, dtype tensor.Dtype, opts ...datasets.Option) (train, test *datasets.ColorImages, err error)
}

var (
	cifar10  = imageSet{"cifar10", "CIFAR-10", 10, 50000, datasets.CIFAR10}
	cifar100 = imageSet{"cifar100", "CIFAR-100", 100, 50000, datasets.CIFAR100}
	svhn     = imageSet{"svhn", "SVHN", 10, 73257, datasets.SVHN}
	// synthetic images are those of smoke runs.
	synthetic = imageSet{"synthetic", "made-up images", 10, 400,
		func(_ context.Context, dtype tensor.Dtype, _ ...datasets.Option) (train, test *datasets.ColorImages, err error) {
			return datasets.Synthetic(1, dtype, 10, 400, 100)
		}}
)

func imageSetOf(name string) (imageSet, error) {
	for _, s := range []imageSet{cifar10, cifar100, svhn, synthetic} {
		if s.name == name {
			return s, nil
		}
	}
	return imageSet{}, errors.Errorf("no set of images %q", name)
}

// Classes is the number of classes of the set of images; 0 without one.
func (c Config) Classes() int {
	s, err := imageSetOf(c.Set)
	if err != nil {
		return 0
	}
	return s.classes
}

// imageWork are the multiply-adds of a forward pass.
var imageWork = map[string]float64{
	"lenet": 0.65e6, "resnet8": 12.5e6, "alexnet": 15e6, "resnet32": 69e6, "vgg16": 313e6,
	"resnet18": 556e6, "resnet32-wide": 1.1e9, "resnet34": 1.16e9, "wrn-28-10": 5.25e9,
}

// imageBatch is the paper's.
const imageBatch = 128

// epochs is the number of steps of n epochs. The last batch of an epoch, which
// is not full, is left out.
func (s imageSet) epochs(n int) int { return n * (s.rows / imageBatch) }

// paperImages is the paper's setting.
func paperImages(s imageSet, net string, epochs int, d methods.Decay) Config {
	return Config{
		Net: net, Set: s.name, Steps: s.epochs(epochs), Batch: imageBatch, Rows: 10000, Augment: true, Evaluations: epochs,
		Decay: d, Dtype: "float32", L2: 5e-4,
	}
}

// smallImages is a run of few epochs without the L2 penalty, which they do not
// need.
func smallImages(s imageSet, net string, epochs int, d methods.Decay) Config {
	c := paperImages(s, net, epochs, d)
	c.L2, c.Rows = 0, 5000
	return c
}

// smokeImages are a few steps on images that are made up.
func smokeImages(net string, d methods.Decay) Config {
	c := smallImages(synthetic, net, 2, d)
	c.Batch, c.Steps, c.Rows = 32, 24, 100
	if net != "lenet" {
		c.Batch, c.Steps = 16, 12
	}
	return c
}

// timedImages measures the time of a step. With 11 steps, the first of which is
// not counted, what happens every 10 steps has its share.
func timedImages(s imageSet, net string, steps int) Config {
	return Config{
		Net: net, Set: s.name, Steps: steps, Batch: imageBatch, Rows: imageBatch, TestRows: -1, Augment: true, Evaluations: 1, Dtype: "float32",
	}
}

// trialOf is the setting of a search's trials: so many steps, whose result is
// measured on training images that are kept for it.
func trialOf(c Config, steps, validation int) Config {
	c.Steps, c.Validation, c.Rows, c.Evaluations = steps, validation, min(c.Rows, 2000), 1
	return c
}

// images is an experiment on a set of images; the caller completes it.
func images(s imageSet) *Experiment {
	return &Experiment{
		Data: s.title, Spaces: "images",
		Model: func(c Config) (graph.Model, error) { return layers.ImageModel(c.Net, c.Classes()) },
		Loss:  graph.SoftmaxCrossEntropy,
		Load: func(ctx context.Context, c Config) (train, test trainers.Set, err error) {
			set, err := imageSetOf(c.Set)
			if err != nil {
				return nil, nil, err
			}
			return set.both(ctx, c.Type())
		},
	}
}

func (s imageSet) both(ctx context.Context, dtype tensor.Dtype) (train, test trainers.Set, err error) {
	a, b, err := s.load(ctx, dtype)
	if err != nil {
		return nil, nil, err
	}
	return a, b, nil
}

const (
	// imageChoices are common to all experiments on images.
	imageChoices = "batches of 128; random crops after padding by 4 and mirroring; pixels standardised by channel; float32; " +
		"tuned for the best accuracy on 5000 training images that are kept out of the search's trials"
	timedChoices = "; a net that is too large here is timed for a few steps at the small scale"
)
