package guides

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/stopping"
)

func adam(t *testing.T) *trainers.Trainer {
	t.Helper()
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.Adam(1e-3))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func weights(tr *trainers.Trainer) (all []float32) {
	for _, p := range tr.Params() {
		all = append(all, p.Value.Float32s()...)
	}
	return all
}

// TestResume stops the program of the page after every 7 steps: it ends with the bits of the
// run that is not stopped.
func TestResume(t *testing.T) {
	const steps = 30
	batches, dir := digits(t), t.TempDir()
	whole := adam(t)
	if err := resume(t.Context(), whole, batches, filepath.Join(dir, "whole"), steps); err != nil {
		t.Fatal(err)
	}
	var part *trainers.Trainer
	for until := 7; until < steps+7; until += 7 {
		part = adam(t)
		if err := resume(t.Context(), part, batches, filepath.Join(dir, "part"), min(until, steps)); err != nil {
			t.Fatal(err)
		}
	}
	if part.Steps() != steps || !slices.Equal(weights(part), weights(whole)) {
		t.Errorf("%d steps, other bits than those of the run that was not stopped", part.Steps())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := resume(ended, adam(t), batches, filepath.Join(dir, "none"), steps); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err != nil {
		t.Errorf("a run that was stopped at once has no checkpoint: %v", err)
	}
}

func resume(ctx context.Context, tr *trainers.Trainer, batches *trainers.Batches, path string, steps int) error {
	ctx, stop := durable.UntilStopped(ctx)
	defer stop()
	if _, err := os.Stat(path); err == nil {
		if err := tr.Load(path); err != nil {
			return err
		}
	}
	for tr.Steps() < steps && ctx.Err() == nil {
		if _, err := tr.Step(batches.At(tr.Steps())); err != nil {
			return err
		}
		if tr.Steps()%500 == 0 {
			if err := tr.Save(path); err != nil {
				return err
			}
		}
	}
	return tr.Save(path)
}

func TestShip(t *testing.T) {
	t.Chdir(t.TempDir())
	batches := digits(t)
	tr, tuned := adam(t), adam(t)
	train(t, tr, batches, 3)
	if err := ship(tr, tuned); err != nil {
		t.Fatal(err)
	}
	if tuned.Steps() != 0 || !slices.Equal(weights(tr), weights(tuned)) {
		t.Error("the weights are not those that were saved")
	}
}

func ship(tr, tuned *trainers.Trainer) error {
	if err := tr.SaveWeights("weights.safetensors"); err != nil {
		return err
	}
	if err := tuned.LoadWeights("weights.safetensors"); err != nil {
		return err
	}
	return nil
}

// TestKeepBest: the file has the weights of the lowest loss, also where the run went on.
func TestKeepBest(t *testing.T) {
	t.Chdir(t.TempDir())
	_, valid, err := datasets.Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.SGD(3), trainers.EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	var best *stopping.Best
	if err := keepBest(tr, digits(t), valid, 8, func(b *stopping.Best) { best = b }); err != nil {
		t.Fatal(err)
	}
	kept := adam(t)
	if err := kept.LoadWeights("best.safetensors"); err != nil {
		t.Fatal(err)
	}
	if result, err := kept.Evaluate(valid, 500); err != nil || result.Loss != best.Value {
		t.Errorf("the file has the loss %v, the best is %v: %v", result.Loss, best.Value, err)
	}
}

func keepBest(tr *trainers.Trainer, batches *trainers.Batches, valid trainers.Data, epochs int, report func(*stopping.Best)) error {
	best := stopping.Lowest(3)
	for epoch := 0; epoch < epochs && !best.Stop(); epoch++ {
		for i := range batches.PerEpoch() {
			if _, err := tr.Step(batches.At(epoch*batches.PerEpoch() + i)); err != nil {
				return err
			}
		}
		result, err := tr.Evaluate(valid, 500)
		if err != nil {
			return err
		}
		if best.See(result.Loss) {
			if err := tr.SaveWeights("best.safetensors"); err != nil {
				return err
			}
		}
	}
	report(best)
	return nil
}

// TestPredictions: a trainer made for predictions alone has the outputs of the one that saved.
func TestPredictions(t *testing.T) {
	t.Chdir(t.TempDir())
	batches := digits(t)
	tr := adam(t)
	train(t, tr, batches, 3)
	if err := tr.SaveWeights("best.safetensors"); err != nil {
		t.Fatal(err)
	}
	x := batches.At(0).X[0]
	got, err := predictions(net(), graph.SoftmaxCrossEntropy, x)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tr.Predict(x)
	if err != nil || !slices.Equal(got.Float32s(), want.Float32s()) {
		t.Errorf("other outputs than those of the trainer that saved the weights: %v", err)
	}
}

func predictions(model *layers.Model, loss graph.Loss, x *tensor.Dense) (*tensor.Dense, error) {
	tr, err := trainers.New(model, loss, trainers.SGD(1), trainers.EveryK(0)) // the rule does not matter
	if err != nil {
		return nil, err
	}
	if err := tr.LoadWeights("best.safetensors"); err != nil {
		return nil, err
	}
	logits, err := tr.Predict(x) // x has a row for each example
	return logits, err
}
