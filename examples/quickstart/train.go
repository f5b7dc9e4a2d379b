package main

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// evaluateEvery is the number of steps between two evaluations.
const evaluateEvery = 10

// result is what the training with a method gave.
type result struct {
	name        string
	evaluations []evaluation
	learns      bool    // a rate or a preconditioner is learned
	precond     bool    // it is a preconditioner
	seconds     float64 // of training, without evaluations
}

// evaluation is the state after some steps: the loss on the whole training set, the
// accuracy on the test set, and the learning rate or the mean of the preconditioner's
// diagonal.
type evaluation struct {
	step                 int
	loss, accuracy, rate float64
}

// last is the state at the end.
func (r result) last() evaluation { return r.evaluations[len(r.evaluations)-1] }

// train trains a new net with the method and logs every step. When the context ends
// it returns the result so far.
func (m method) train(ctx context.Context, s settings, train, test trainers.Data, stderr io.Writer) (result, error) {
	log, err := durable.CreateLog(filepath.Join(s.out, strings.ToLower(m.name)+".jsonl"))
	if err != nil {
		return result{}, err
	}
	r, err := m.takeSteps(ctx, s, train, test, trainers.NewJSONL(log), stderr)
	if closeErr := log.Close(); err == nil {
		err = closeErr
	}
	return r, err
}

// takeSteps trains the net and evaluates it every evaluateEvery steps.
func (m method) takeSteps(ctx context.Context, s settings, train, test trainers.Data, log trainers.Recorder, stderr io.Writer) (result, error) {
	r := result{name: m.name}
	batches, err := trainers.NewBatches(train, s.batch, s.seed)
	if err != nil {
		return r, cli.AsUsage(err)
	}
	low, err := cli.PrecisionOptions(s.precision)
	if err != nil {
		return r, err
	}
	opts := slices.Concat([]trainers.Option{trainers.Seed(s.seed), trainers.TildeFrom(batches.TildeAt), trainers.Record(log)}, low, m.options)
	t, err := trainers.New(layers.MLP(64, 100, 100, 10), graph.SoftmaxCrossEntropy, m.optimizer, opts...)
	if err != nil {
		return r, err
	}
	if err := r.evaluate(t, train, test); err != nil {
		return r, err
	}
	progress := cli.NewProgress(stderr, m.name, s.steps)
	defer progress.Close()
	for step := range s.steps {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		stats, err := t.Step(batches.At(step))
		if err != nil {
			return r, err
		}
		r.seconds += (stats.BaseTime + stats.MetaTime).Seconds()
		r.learns = r.learns || stats.Meta != nil
		progress.Show(step+1, stats.Loss)
		if (step+1)%evaluateEvery == 0 || step+1 == s.steps {
			if err := r.evaluate(t, train, test); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func (r *result) evaluate(t *trainers.Trainer, train, test trainers.Data) error {
	onTrain, err := t.Evaluate(train, train.Len())
	if err != nil {
		return err
	}
	onTest, err := t.Evaluate(test, test.Len())
	if err != nil {
		return err
	}
	e := evaluation{step: t.Steps(), loss: onTrain.Loss, accuracy: onTest.Accuracy}
	if rates := t.Rates(); len(rates) > 0 {
		e.rate = rates[0]
	} else {
		e.rate, r.precond = meanRate(t.Phi()), true
	}
	r.evaluations = append(r.evaluations, e)
	return nil
}
