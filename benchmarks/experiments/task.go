package experiments

import (
	"context"
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// Task is what the methods of an experiment train: a model, a loss and examples.
// Only the task knows what kind of model and data the experiment has. Its methods
// depend on the setting of a run and must not change the task.
type Task interface {
	// Describe names the model and the data in a few words.
	Describe(c Config) string
	// Model makes the model, untrained.
	Model(c Config) (graph.Model, error)
	// Loss is the loss that is minimised.
	Loss() graph.Loss
	// Load returns all examples; Experiment.Problem selects those of the setting. If
	// the data set is missing, the error's cause is datasets.ErrNotFound.
	Load(ctx context.Context, c Config) (Problem, error)
	// RandomBatch makes a mini-batch of random numbers with the shapes and dtypes of
	// the examples. It serves to time steps without the data set.
	RandomBatch(c Config) graph.Batch
	// Work is the size of the computations.
	Work(c Config) Work
}

// Work is the size of a task's computations.
type Work struct {
	// MultiplyAdds is the approximate number of multiply-adds in a forward pass of one
	// example.
	MultiplyAdds float64
	// EvaluationBatch is the number of examples that are evaluated at once.
	EvaluationBatch int
	// Unit is what Config.Batch counts where that is not rows of the data.
	Unit string
}

// Count is a number of what Config.Batch counts, in words.
func (w Work) Count(n int) string { return strings.TrimSpace(fmt.Sprintf("%d %s", n, w.Unit)) }

// Problem is an experiment's data at one scale.
type Problem struct {
	// Train is the training set. Evaluate has the examples on which the training loss
	// is evaluated: those of Train, or the first of them, without augmentation. Test
	// is nil if there is no test set.
	Train, Evaluate, Test trainers.Dataset
	// TestLoss is the loss that is evaluated on Test, nil for the training loss.
	TestLoss *graph.Loss
	// Score rates a trained model at the end of a run by what is neither loss nor
	// accuracy: the BLEU of its translations. It is nil for a task without.
	Score func(ctx context.Context, tr *trainers.Trainer) (float64, error)
}

// Batches are the mini-batches of a run, each a function of seed and step alone.
type Batches interface {
	// PerEpoch is the number of batches in an epoch.
	PerEpoch() int
	// At is the batch of a step, valid until the next call of At.
	At(step int) graph.Batch
	// TildeAt are the inputs of an independent batch for the function-space term.
	TildeAt(step int) ([]*tensor.Dense, error)
	// Stream prepares the batches from a step on in the background.
	Stream(ctx context.Context, first int) *batch.Stream
}

// batched is a data set that has batches of its own.
type batched interface {
	Batches(seed uint64) (Batches, error)
}

// Batches are the batches of the training set: of size rows, unless it has its own.
func (p *Problem) Batches(size int, seed uint64) (Batches, error) {
	if own, ok := p.Train.(batched); ok {
		return own.Batches(seed)
	}
	return trainers.NewBatches(p.Train, size, seed)
}

// Problem loads the data of a setting.
func (e *Experiment) Problem(ctx context.Context, c Config) (*Problem, error) {
	p, err := e.Task.Load(ctx, c)
	if err == nil && c.Validation >= p.Train.Len() {
		err = errors.Errorf("%d of %d training examples cannot be held out for validation", c.Validation, p.Train.Len())
	}
	if err != nil {
		return nil, errors.WithMessage(err, e.Name)
	}
	if err := p.divide(c); err != nil {
		return nil, errors.WithMessage(err, e.Name)
	}
	return &p, nil
}

// divide selects the examples of the setting.
func (p *Problem) divide(c Config) (err error) {
	take := func(s *trainers.Dataset, from, n int) {
		if err == nil {
			*s, err = part(*s, from, n)
		}
	}
	if n := p.Train.Len() - c.Validation; c.Validation > 0 {
		p.Test = p.Evaluate
		take(&p.Test, n, c.Validation)
		take(&p.Train, 0, n)
		take(&p.Evaluate, 0, n)
	}
	take(&p.Train, 0, c.Examples)
	take(&p.Evaluate, 0, c.Examples)
	take(&p.Evaluate, 0, c.Rows)
	if c.TestRows < 0 {
		p.Test = nil
	} else if p.Test != nil {
		take(&p.Test, 0, c.TestRows)
	}
	if c.TestRows < 0 || c.Validation > 0 {
		p.Score = nil
	}
	return err
}

// window has the n examples of a set that begin at number from.
type window struct {
	trainers.Dataset
	from, n int
}

// divisible is a data set that makes its own parts.
type divisible interface {
	// Part has n examples from number from on.
	Part(from, n int) (trainers.Dataset, error)
}

// part has n examples of a set from number from on, or all of them for n = 0 or where
// there are no more.
func part(s trainers.Dataset, from, n int) (trainers.Dataset, error) {
	if n == 0 || from == 0 && n >= s.Len() {
		return s, nil
	}
	if d, ok := s.(divisible); ok {
		return d.Part(from, n)
	}
	return window{s, from, n}, s.Check()
}

// Len implements trainers.Dataset.
func (w window) Len() int { return w.n }

// Check implements trainers.Dataset: the whole set, which may be much larger than the window
// that is evaluated again and again, was checked when the window was made.
func (w window) Check() error { return nil }

// Fill implements trainers.Dataset.
func (w window) Fill(b graph.Batch, rows []int, d batch.Draw) {
	shifted := make([]int, len(rows))
	for i, r := range rows {
		shifted[i] = w.from + r
	}
	w.Dataset.Fill(b, shifted, d)
}

// unaugmented is data whose training loss is evaluated on the training set itself.
func unaugmented(train, test trainers.Dataset) Problem {
	return Problem{Train: train, Evaluate: train, Test: test}
}
