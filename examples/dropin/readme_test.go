package dropin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// userNet is a graph with all nodes of a problem.
type userNet struct {
	g            *gorgonia.ExprGraph
	x, y         *gorgonia.Node
	logits, cost *gorgonia.Node
	learnables   gorgonia.Nodes
	images       []float64
	labels       []float64
}

func newUserNet(t testing.TB) *userNet {
	rng := newSource(51)
	u := &userNet{g: gorgonia.NewGraph()}
	u.images, u.labels = digits(t)
	u.x, u.y = input(u.g, "x", batchRows, 64), input(u.g, "y", batchRows, 10)
	w, b := rng.weights(u.g, "w", scaled(64), 64, 10), rng.weights(u.g, "b", 0, 1, 10)
	u.learnables = gorgonia.Nodes{w, b}
	u.logits = affine(u.x, w, b)
	sums := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(u.logits)), 1))))
	u.cost = must(gorgonia.Mean(must(gorgonia.Sub(sums, must(gorgonia.Sum(must(gorgonia.HadamardProd(u.logits, u.y)), 1))))))
	return u
}

// feed binds the batch of a step.
func (u *userNet) feed(t testing.TB, step int) {
	rows(t, u.x, u.images, step%epoch*batchRows)
	rows(t, u.y, u.labels, step%epoch*batchRows)
}

// differentiate calls Grad once.
func (u *userNet) differentiate(t testing.TB) {
	_, err := gorgonia.Grad(u.cost, u.learnables...)
	check(t, err)
}

// TestReadmeSolver runs the first program of the top README.
func TestReadmeSolver(t *testing.T) {
	u := newUserNet(t)
	u.differentiate(t)
	before := u.learnables[0].Value().(*tensor.Dense).Clone().(*tensor.Dense)
	check(t, readmeSolver(u.g, u.cost, u.logits, u.x, u.y, u.learnables, 3, func(step int) { u.feed(t, step) }))
	if before.Eq(u.learnables[0].Value()) {
		t.Error("the weights have not moved")
	}
}

func readmeSolver(g *gorgonia.ExprGraph, cost, logits, x, y *gorgonia.Node, learnables gorgonia.Nodes, steps int, feed func(step int)) error {
	solver, err := trainers.Wrap(
		graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: learnables},
		trainers.RMSprop(1e-3),
		trainers.EveryK(10), trainers.FSD(0.1, graph.CategoricalKL))
	if err != nil {
		return err
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(learnables...))
	defer vm.Close()
	for step := range steps {
		feed(step) // binds the batch to x and y
		if err := vm.RunAll(); err != nil {
			return err
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(learnables)); err != nil {
			return err
		}
		vm.Reset()
	}
	return nil
}

// TestReadmeTrainer runs the second on noise in MNIST's shape.
func TestReadmeTrainer(t *testing.T) {
	if testing.Short() {
		t.Skip("1.8 million weights")
	}
	rng := rand.New(rand.NewPCG(52, 1))
	noise := func(n int) trainers.Data {
		pixels, labels := make([]float32, n*784), make([]int, n)
		for i := range pixels {
			pixels[i] = rng.Float32()
		}
		for i := range labels {
			labels[i] = rng.IntN(10)
		}
		return trainers.Data{X: tensor.New(tensor.WithShape(n, 784), tensor.WithBacking(pixels)), T: tensor.New(tensor.WithBacking(labels))}
	}
	check(t, readmeTrainer(noise(100), noise(50)))
}

func readmeTrainer(train, test trainers.Data) error {
	batches, err := trainers.NewBatches(train, 100, 1)
	if err != nil {
		return err
	}
	steps := 3 * batches.PerEpoch()
	tr, err := trainers.New(layers.MLP(784, 1000, 1000, 10), graph.SoftmaxCrossEntropy,
		trainers.Precond(0), trainers.WithSchedule(trainers.Cosine(steps, 0)), trainers.Seed(1))
	if err != nil {
		return err
	}
	for step := range steps {
		if _, err := tr.Step(batches.At(step)); err != nil {
			return err
		}
	}
	result, err := tr.Evaluate(test, 500)
	if err != nil {
		return err
	}
	fmt.Printf("loss %.4f, accuracy %.2f%%\n", result.Loss, 100*result.Accuracy)
	return nil
}

// TestReadmeGroups trains groups of parameters on the digits.
func TestReadmeGroups(t *testing.T) {
	model := layers.Sequential(layers.Dense(64, 12, apoops.ReLUAct), layers.LayerNorm(12), layers.Dense(12, 12, apoops.ReLUAct), layers.LayerNorm(12),
		layers.Dense(12, 12, apoops.ReLUAct), layers.Dense(12, 10, apoops.Identity))
	images, labels := digits(t)
	pixels, classes := make([]float32, len(images)), make([]int, len(images)/64)
	for i, v := range images {
		pixels[i] = float32(v)
	}
	for i, one := range labels {
		if one == 1 {
			classes[i/10] = i % 10
		}
	}
	check(t, readmeGroups(model, trainers.Data{X: tensor.New(tensor.WithShape(len(classes), 64), tensor.WithBacking(pixels)), T: tensor.New(tensor.WithBacking(classes))}, 30))
}

func readmeGroups(model graph.Model, data trainers.Data, steps int) error {
	o := trainers.Groups(trainers.AdamW(1e-3), // the norms and the last layer
		trainers.Group{Params: []string{"dense0"}, Frozen: true},
		trainers.Group{Params: []string{"dense2", "dense4"}, Optimizer: trainers.Muon(0.02), Schedule: trainers.Cosine(steps, 0)})
	tr, err := trainers.New(model, graph.SoftmaxCrossEntropy, o)
	if err != nil {
		return err
	}
	batches, err := trainers.NewBatches(data, 50, 1)
	if err != nil {
		return err
	}
	for step := range steps {
		if _, err := tr.Step(batches.At(step)); err != nil {
			return err
		}
	}
	if len(tr.Rates()) != 2 {
		return fmt.Errorf("rates %v", tr.Rates())
	}
	return nil
}

// readmeImages is the third program. It is compiled alone: CIFAR-10 is large.
func readmeImages(ctx context.Context, tr *trainers.Trainer, seed uint64, steps int) error {
	train, _, err := datasets.CIFAR10(ctx, tensor.Float32)
	if err != nil {
		return err
	}
	batches, err := trainers.NewBatches(train.Augmented(datasets.CropFlip), 128, seed)
	if err != nil {
		return err
	}
	stream := batches.Stream(ctx, tr.Steps())
	defer stream.Close()
	for range steps {
		batch, err := stream.Next()
		if err != nil {
			return err
		}
		if _, err := tr.Step(batch); err != nil {
			return err
		}
	}
	return nil
}

var _ = readmeImages

// TestReadmeDigits runs the program of the top README's first page: from a rate of 1e-6 it
// must learn the digits.
func TestReadmeDigits(t *testing.T) {
	accuracy := 0.0
	check(t, readmeDigits(func(r trainers.Evaluation) { accuracy = r.Accuracy }))
	if accuracy < 0.9 {
		t.Errorf("accuracy %.3f", accuracy)
	}
}

func readmeDigits(report func(trainers.Evaluation)) error {
	train, test, err := datasets.Digits(tensor.Float32) // is built in
	if err != nil {
		return err
	}
	batches, err := trainers.NewBatches(train, 64, 1)
	if err != nil {
		return err
	}
	steps := 20 * batches.PerEpoch()
	tr, err := trainers.New(layers.MLP(64, 50, 10), graph.SoftmaxCrossEntropy,
		trainers.Adam(1e-6), trainers.Calibrated(trainers.CalibratedConfig{Horizon: steps}))
	if err != nil {
		return err
	}
	for step := range steps {
		if _, err := tr.Step(batches.At(step)); err != nil {
			return err
		}
	}
	result, err := tr.Evaluate(test, 500)
	if err != nil {
		return err
	}
	report(result)
	return readmeFindRate(tr, batches)
}

func readmeFindRate(tr *trainers.Trainer, batches *trainers.Batches) error {
	found, err := tr.FindRate(batches.BatchAt, trainers.CalibratedConfig{})
	if err != nil {
		return err
	}
	fmt.Printf("a rate to begin with: %.2g\n", found.Rate)
	return nil
}
