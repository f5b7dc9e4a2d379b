package main

import (
	"io"
	"slices"

	"github.com/apo-gorgonia/apo/apoops/collective"
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

// task is what all methods train on, and with whom.
type task struct {
	settings
	comm        collective.Communicator
	all         *durable.Together
	train, test trainers.Data
	stderr      io.Writer
}

// train trains a new net with the method; rank 0 logs every step. When all members stop
// it returns the result so far.
func (m method) train(k *task) (result, error) {
	var l *logs
	if err := collective.OnFirst(k.comm, func() (err error) {
		l, err = k.openLogs(m.name)
		return err
	}); err != nil {
		return result{}, err
	}
	r := result{name: m.name}
	t, batches, err := m.start(k, l)
	if err = collective.JoinErrors(k.comm, err); err == nil {
		err = r.takeSteps(k, t, batches)
	}
	if err != nil {
		if l != nil {
			_ = l.close(false)
		}
		return r, err
	}
	return r, collective.OnFirst(k.comm, func() error { return l.close(true) })
}

// start makes the trainer and its mini-batches. l is nil where another member has the logs.
func (m method) start(k *task, l *logs) (*trainers.Trainer, *trainers.Batches, error) {
	batches, err := trainers.NewBatches(k.train, k.batch, k.seed)
	if err != nil {
		return nil, nil, cli.AsUsage(err)
	}
	low, err := cli.PrecisionOptions(k.precision)
	if err != nil {
		return nil, nil, err
	}
	opts := slices.Concat([]trainers.Option{trainers.Seed(k.seed), trainers.TildeFrom(batches.TildeAt), trainers.Parallel(k.comm)}, low, m.options)
	if l != nil {
		opts = append(opts, trainers.Record(l.recorder()))
	}
	t, err := trainers.New(layers.MLP(64, 100, 100, 10), graph.SoftmaxCrossEntropy, m.optimizer, opts...)
	return t, batches, err
}

// takeSteps trains the net and evaluates it every evaluateEvery steps.
func (r *result) takeSteps(k *task, t *trainers.Trainer, batches *trainers.Batches) error {
	if err := r.evaluate(t, k.train, k.test); err != nil {
		return err
	}
	progress := cli.NewProgress(k.stderr, r.name, k.steps)
	defer progress.Close()
	for step := range k.steps {
		if _, err := k.all.Next(false); err != nil {
			return err
		}
		stats, err := t.Step(batches.At(step))
		if err != nil {
			return err
		}
		r.seconds += (stats.BaseTime + stats.MetaTime).Seconds()
		r.learns = r.learns || stats.Meta != nil
		progress.Show(step+1, stats.Loss)
		if (step+1)%evaluateEvery == 0 || step+1 == k.steps {
			if err := r.evaluate(t, k.train, k.test); err != nil {
				return err
			}
		}
	}
	return nil
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
