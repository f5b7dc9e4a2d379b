package experiments

import (
	"context"
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// imageSet is a set of labelled images of 3×32×32.
type imageSet struct {
	name, title   string // for experiments' names and for texts
	classes, rows int
	load          func(ctx context.Context, dtype tensor.Dtype, opts ...datasets.Option) (train, test *datasets.ColorImages, err error)
}

var (
	cifar10  = imageSet{"cifar10", "CIFAR-10", 10, 50000, datasets.CIFAR10}
	cifar100 = imageSet{"cifar100", "CIFAR-100", 100, 50000, datasets.CIFAR100}
	svhn     = imageSet{"svhn", "SVHN", 10, 73257, datasets.SVHN}
	// synthetic has the images of smoke runs.
	synthetic = imageSet{"synthetic", "synthetic images", 10, 400,
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

// imageWork has the multiply-adds of a forward pass by net.
var imageWork = map[string]float64{
	"lenet": 0.65e6, "resnet8": 12.5e6, "alexnet": 15e6, "resnet32": 69e6, "vgg16": 313e6,
	"resnet18": 556e6, "resnet32-wide": 1.1e9, "resnet34": 1.16e9, "wrn-28-10": 5.25e9,
}

// imageTask trains the net Config.Net on the images of Config.Set.
type imageTask struct{}

var _ Task = imageTask{}

// evaluatedImages is the number of images that are evaluated at once.
const evaluatedImages = 250

// Describe implements Task.
func (imageTask) Describe(c Config) string { return c.Net + " on " + c.Set }

// Model implements Task.
func (imageTask) Model(c Config) (graph.Model, error) {
	set, err := imageSetOf(c.Set)
	if err != nil {
		return nil, err
	}
	return layers.ImageModel(c.Net, set.classes)
}

// Loss implements Task.
func (imageTask) Loss() graph.Loss { return graph.SoftmaxCrossEntropy }

// Load implements Task.
func (imageTask) Load(ctx context.Context, c Config) (Problem, error) {
	set, err := imageSetOf(c.Set)
	if err != nil {
		return Problem{}, err
	}
	train, test, err := set.load(ctx, c.Type())
	if err != nil {
		return Problem{}, err
	}
	p := unaugmented(train, test)
	if c.Augment {
		p.Train = train.Augmented(datasets.CropFlip)
	}
	return p, nil
}

// RandomBatch implements Task. An unknown set, which Model refuses, gives one class.
func (imageTask) RandomBatch(c Config) graph.Batch {
	set, _ := imageSetOf(c.Set)
	rng := rand.New(rand.NewPCG(1, 1))
	return graph.NewBatch(uniform(rng, c.Type(), c.Batch, 3, 32, 32), classNumbers(rng, c.Batch, max(1, set.classes)))
}

// Work implements Task.
func (imageTask) Work(c Config) Work {
	return Work{MultiplyAdds: imageWork[c.Net], EvaluationBatch: evaluatedImages}
}
