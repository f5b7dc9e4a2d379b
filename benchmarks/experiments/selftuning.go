package experiments

import (
	"context"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// SelfTuningTask is a task of the command selftune.
type SelfTuningTask struct {
	*Experiment
	// Seeds is the usual number of runs of a method.
	Seeds int
	// Tuning is a task on which configurations are chosen; all others are held out.
	Tuning bool
}

// SelfTuning returns the tasks of the command selftune: those for tuning, then those held
// out, which share no data with them.
func SelfTuning() []SelfTuningTask { return append([]SelfTuningTask(nil), selfTuning...) }

// A run takes under 30 s on two cores where there are ten seeds.
const (
	shortSeeds = 10
	longSeeds  = 3
)

var selfTuning = []SelfTuningTask{
	tuningTask("selftune-on-digits", "MLP on Digits", Config{Widths: []int{64, 50, 50, 10}, Steps: 450, Batch: 64, Dtype: "float32"},
		denseTask{model: layers.MLP, loss: graph.SoftmaxCrossEntropy, targets: classTargets, load: digits(nil)}),
	tuningTask("selftune-on-encoder", "autoencoder on Digits", Config{Widths: []int{64, 40, 20, 8}, Steps: 450, Batch: 64, Dtype: "float32"},
		denseTask{model: layers.Autoencoder, loss: graph.BernoulliCrossEntropy, targets: inputTargets, load: digits(alias)}),
	tuningTask("selftune-on-pixels", "regression of the lower half of Digits on the upper half",
		Config{Widths: []int{32, 50, 50, 32}, Steps: 450, Batch: 64, Dtype: "float32"},
		denseTask{model: layers.MLP, loss: graph.SquaredError, targets: vectorTargets, load: digitHalves}),
	tuningTask("selftune-on-images", "LeNet on synthetic images", Config{Net: "lenet", Set: synthetic.name, Steps: 150, Batch: 32, TestRows: -1, Dtype: "float32"}, imageTask{}),

	heldOut("selftune-regression", "UCI protein, regression", shortSeeds, TrainingLoss, protein.Task,
		Config{Widths: []int{9, 100, 100, 1}, Steps: 900, Batch: 100, Rows: 5000, Dtype: "float32"}, 40),
	heldOut("selftune-illcond", "ill-conditioned regression", shortSeeds, TrainingLoss, illConditioned("", nil).Task,
		Config{Widths: []int{6, 6, 10}, Steps: 1500, Batch: illConditionedExamples, Dtype: "float64"}, 60),
	heldOut("selftune-autoencoder", "autoencoder on MNIST", shortSeeds, TrainingLoss, encodeMNIST,
		Config{Widths: []int{196, 100, 50, 20}, Steps: 600, Batch: 200, Rows: 2000, Pool: 2, Dtype: "float32"}, 30),
	heldOut("selftune-mlp", "MLP on MNIST", shortSeeds, TestAccuracy, mnistRates.Task,
		Config{Widths: []int{784, 100, 100, 10}, Steps: 900, Batch: 100, Rows: 500, TestRows: 5000, Dtype: "float32"}, 30),
	heldOut("selftune-lenet", "LeNet on CIFAR-10", shortSeeds, TestAccuracy, imageTask{},
		Config{Net: "lenet", Set: cifar10.name, Steps: 900, Batch: 64, Rows: 100, TestRows: 1000, Evaluations: 30, Dtype: "float32"}, 0),
	heldOut("selftune-resnet8", "thin ResNet-8 on CIFAR-10", longSeeds, TestAccuracy, imageTask{},
		Config{Net: "resnet8", Set: cifar10.name, Steps: 450, Batch: 64, Rows: 100, TestRows: 1000, Evaluations: 20, Dtype: "float32"}, 0),
	heldOut("selftune-transformer", "Transformer on Multi30k", longSeeds, TrainingLoss, textTask{},
		Config{Own: merged(net(1, 64, 4, 128, 900, 0), 600), Set: multi30k.name, Steps: 600, Batch: 1024, Rows: 100, TestRows: 200, Evaluations: 20, Dtype: "float32"}, 0),
	heldOut("selftune-rescaled", "MLP on MNIST, pixels times 1000", shortSeeds, TestAccuracy, rescaledMNIST,
		Config{Widths: []int{784, 100, 100, 10}, Steps: 900, Batch: 100, Rows: 500, TestRows: 5000, Dtype: "float32"}, 30),
	heldOut("selftune-batch16", "UCI parkinsons in batches of 16", shortSeeds, TrainingLoss, parkinsons.Task,
		Config{Widths: []int{20, 100, 100, 1}, Steps: 1800, Batch: 16, Rows: 5000, Dtype: "float32"}, 60),
}

func selfTuningTask(name, title string, measure Measure, task Task, small, smoke Config) *Experiment {
	return &Experiment{
		Name: name, Figure: NotInThePaper, Title: title, Paper: notThePapers, Command: "selftune",
		Measure: measure, Task: task, Scales: map[Scale]Config{Small: small, Smoke: smoke},
	}
}

func tuningTask(name, title string, small Config, task Task) SelfTuningTask {
	smoke := small
	smoke.Steps, smoke.Evaluations = 30, 10
	return SelfTuningTask{selfTuningTask(name, title, TrainingLoss, task, small, smoke), shortSeeds, true}
}

// heldOut is a task with so many steps at the scale smoke or, for 0, with synthetic data
// there.
func heldOut(name, title string, seeds int, measure Measure, task Task, small Config, smokeSteps int) SelfTuningTask {
	smoke := small
	switch {
	case small.Set == multi30k.name:
		smoke = smokeText
		smoke.Decay, smoke.DecayAll = small.Decay, false
	case smokeSteps == 0:
		smoke.Set, smoke.Batch, smoke.Rows, smoke.TestRows = synthetic.name, 16, 50, 50
		smokeSteps = 15
	}
	if smokeSteps > 0 {
		smoke.Steps = smokeSteps
	}
	smoke.Evaluations = 10
	return SelfTuningTask{selfTuningTask(name, title, measure, task, small, smoke), seeds, false}
}

// digits loads Digits with its labels or with targets made from the images.
func digits(targets func(x *tensor.Dense) *tensor.Dense) func(context.Context, Config) (train, test trainers.Dataset, err error) {
	return func(_ context.Context, c Config) (train, test trainers.Dataset, err error) {
		images, _, err := datasets.Digits(c.Type())
		if err == nil && targets != nil {
			images = trainers.Data{X: images.X, T: targets(images.X)}
		}
		return images, nil, err
	}
}

// digitHalves has the upper halves of Digits as inputs, the lower ones as targets.
func digitHalves(_ context.Context, c Config) (train, test trainers.Dataset, err error) {
	images, _, err := datasets.Digits(c.Type())
	if err != nil {
		return nil, nil, err
	}
	halves, err := apoops.Choose(c.Type(), halvesOf[float32], halvesOf[float64])
	if err != nil {
		return nil, nil, err
	}
	upper, lower := halves(images.X)
	return trainers.Data{X: upper, T: lower}, nil, nil
}

// halvesOf cuts each row in two.
func halvesOf[F apoops.Float](x *tensor.Dense) (first, second *tensor.Dense) {
	n, width := x.Shape()[0], x.Shape()[1]/2
	all, a, b := apoops.Elements[F](x), make([]F, n*width), make([]F, n*width)
	for i := range n {
		row := all[2*i*width : 2*(i+1)*width]
		copy(a[i*width:], row[:width])
		copy(b[i*width:], row[width:])
	}
	return tensor.New(tensor.WithShape(n, width), tensor.WithBacking(a)), tensor.New(tensor.WithShape(n, width), tensor.WithBacking(b))
}

// rescaledMNIST classifies MNIST with pixels from 0 to 1000.
var rescaledMNIST = denseTask{
	model: layers.MLP, loss: graph.SoftmaxCrossEntropy, targets: classTargets,
	load: func(ctx context.Context, c Config) (train, test trainers.Dataset, err error) {
		a, b, err := datasets.MNIST(ctx, c.Type())
		if err != nil {
			return nil, nil, err
		}
		thousandfold, err := apoops.Choose(c.Type(), thousandfoldOf[float32], thousandfoldOf[float64])
		if err != nil {
			return nil, nil, err
		}
		thousandfold(a.X)
		thousandfold(b.X)
		return a, b, nil
	},
}

func thousandfoldOf[F apoops.Float](x *tensor.Dense) {
	all := apoops.Elements[F](x)
	for i := range all {
		all[i] *= 1000
	}
}
