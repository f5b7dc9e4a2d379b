package experiments

import (
	"context"

	"github.com/pkg/errors"

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
}

// Problem is an experiment's data at one scale.
type Problem struct {
	// Train is the training set. Evaluate has the examples on which the training loss
	// is evaluated: those of Train, or the first of them, without augmentation. Test
	// is nil if there is no test set.
	Train, Evaluate, Test trainers.Dataset
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
	if n := p.Train.Len() - c.Validation; c.Validation > 0 {
		p.Test = window{p.Evaluate, n, c.Validation}
		p.Train, p.Evaluate = first(p.Train, n), first(p.Evaluate, n)
	}
	p.Train, p.Evaluate = first(p.Train, c.Examples), first(p.Evaluate, c.Examples)
	p.Evaluate = first(p.Evaluate, c.Rows)
	if c.TestRows < 0 {
		p.Test = nil
	} else if p.Test != nil {
		p.Test = first(p.Test, c.TestRows)
	}
	return &p, nil
}

// window has the n examples of a set that begin at number from.
type window struct {
	trainers.Dataset
	from, n int
}

// first has the first n examples of a set, or all of them for n = 0.
func first(s trainers.Dataset, n int) trainers.Dataset {
	if n == 0 || n >= s.Len() {
		return s
	}
	return window{s, 0, n}
}

// Len implements trainers.Dataset.
func (w window) Len() int { return w.n }

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
