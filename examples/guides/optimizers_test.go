package guides

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// digits are mini-batches of 100 digits for a small net.
func digits(t *testing.T) *trainers.Batches {
	t.Helper()
	train, _, err := datasets.Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := trainers.NewBatches(train, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	return batches
}

func net() *layers.Model { return layers.MLP(64, 20, 10) }

// train takes steps and returns the last loss.
func train(t *testing.T, tr *trainers.Trainer, batches *trainers.Batches, steps int) float64 {
	t.Helper()
	var loss float64
	for step := range steps {
		s, err := tr.Step(batches.At(step))
		if err != nil {
			t.Fatal(err)
		}
		loss = s.Loss
	}
	return loss
}

// TestOptimizers runs the trainers of the page. Each must learn the digits, whose loss is
// 2.3 at first.
func TestOptimizers(t *testing.T) {
	const steps = 60
	batches := digits(t)
	for name, make := range map[string]func(*layers.Model, graph.Loss, *trainers.Batches, int) (*trainers.Trainer, error){
		"calibrated": calibrated, "learned preconditioner": learnedPreconditioner, "fixed rate": fixedRate,
	} {
		tr, err := make(net(), graph.SoftmaxCrossEntropy, batches, steps)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		first := train(t, tr, batches, 1)
		if last := train(t, tr, batches, steps-1); !(last < 0.95*first) {
			t.Errorf("%s: the loss is %v at first and %v at the end", name, first, last)
		}
	}
}

func calibrated(model *layers.Model, loss graph.Loss, batches *trainers.Batches, steps int) (*trainers.Trainer, error) {
	tr, err := trainers.New(model, loss, trainers.Adam(1e-3),
		trainers.Calibrated(trainers.CalibratedConfig{Horizon: steps}), trainers.CalibrateFrom(batches.BatchAt))
	return tr, err
}

func learnedPreconditioner(model *layers.Model, loss graph.Loss, _ *trainers.Batches, steps int) (*trainers.Trainer, error) {
	tr, err := trainers.New(model, loss, trainers.Precond(0), trainers.WithSchedule(trainers.Cosine(steps, 0)))
	return tr, err
}

func fixedRate(model *layers.Model, loss graph.Loss, _ *trainers.Batches, _ int) (*trainers.Trainer, error) {
	tr, err := trainers.New(model, loss, trainers.AdamW(5e-4), trainers.EveryK(0),
		trainers.WithSchedule(trainers.InverseSqrt(4000)))
	return tr, err
}

// TestCalibratedRules: the rules that the page names can be calibrated.
func TestCalibratedRules(t *testing.T) {
	for _, o := range []trainers.Optimizer{trainers.SGD(1), trainers.SGDm(1), trainers.RMSprop(1e-3), trainers.Adam(1e-3), trainers.AdamW(1e-3), trainers.NAdamW(1e-3)} {
		if _, err := trainers.New(net(), graph.SoftmaxCrossEntropy, o, trainers.Calibrated(trainers.CalibratedConfig{})); err != nil {
			t.Error(err)
		}
	}
}

// TestDiagonals: what is not a layer's keeps a diagonal, which the notes name.
func TestDiagonals(t *testing.T) {
	model := layers.Sequential(layers.Dense(64, 20, apoops.ReLUAct), layers.LayerNorm(20), layers.Dense(20, 10, apoops.Identity))
	batches := digits(t)
	tr, err := trainers.New(model, graph.SoftmaxCrossEntropy, trainers.Precond(0.1))
	if err != nil {
		t.Fatal(err)
	}
	train(t, tr, batches, 1)
	if notes := strings.Join(tr.Notes(), "\n"); !strings.Contains(notes, "diagonal") {
		t.Errorf("the notes do not name a diagonal: %q", notes)
	}
}

func TestFindRate(t *testing.T) {
	batches := digits(t)
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.SGDm(1e-3), trainers.EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := findRate(tr, batches); err != nil {
		t.Error(err)
	}
}

func findRate(tr *trainers.Trainer, batches *trainers.Batches) error {
	found, err := tr.FindRate(batches.BatchAt, trainers.CalibratedConfig{})
	if err != nil {
		return err
	}
	fmt.Printf("a rate to begin with: %.2g\n", found.Rate)
	return nil
}

// TestNoise trains with dropout, with wrong labels, and on examples that are known by heart. With
// what the page says of noise the net must stay as good as at a fixed rate, to within two points.
func TestNoise(t *testing.T) {
	const steps = 2500
	for _, c := range []struct {
		what           string
		dropout, wrong float64
		opts           []trainers.Option
	}{
		{"dropout", 0.5, 0, nil},
		{"dropout, SameBatch", 0.5, 0, []trainers.Option{trainers.SameBatch(), trainers.FSD(10)}},
		{"wrong labels", 0, 0.2, nil},
		{"known by heart, calibrated", 0, 0, []trainers.Option{trainers.Calibrated(trainers.CalibratedConfig{Horizon: steps})}},
	} {
		fixed := noisy(t, steps, c.dropout, c.wrong, trainers.EveryK(0))
		if got := noisy(t, steps, c.dropout, c.wrong, c.opts...); got < fixed-0.02 {
			t.Errorf("%s: accuracy %v at a fixed rate, %v at a learned one", c.what, fixed, got)
		}
	}
}

// noisy is the accuracy on the test set after training with dropout, and with a part of the
// labels drawn at random.
func noisy(t *testing.T, steps int, dropout, wrong float64, opts ...trainers.Option) float64 {
	set, test, err := datasets.Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	rng, labels := rand.New(rand.NewPCG(1, 2)), set.T.Ints()
	for i := range labels {
		if rng.Float64() < wrong {
			labels[i] = rng.IntN(10)
		}
	}
	batches, err := trainers.NewBatches(set, 32, 1)
	if err != nil {
		t.Fatal(err)
	}
	model := layers.Sequential(layers.Dense(64, 64, apoops.ReLUAct), layers.Dropout(dropout), layers.Dense(64, 10, apoops.Identity))
	tr, err := trainers.New(model, graph.SoftmaxCrossEntropy, trainers.Adam(1e-3), opts...)
	if err != nil {
		t.Fatal(err)
	}
	train(t, tr, batches, steps)
	result, err := tr.Evaluate(test, 500)
	if err != nil {
		t.Fatal(err)
	}
	return result.Accuracy
}
