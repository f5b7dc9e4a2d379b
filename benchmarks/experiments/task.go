package experiments

import (
	"context"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// Task is what the methods of an experiment train: a model, a loss and examples.
// It is the only code that knows what kind of model and data an experiment has.
// Each method gets the setting of a run; none changes the task.
type Task interface {
	// Describe names the setting's model and data in a few words.
	Describe(c Config) string
	// Model is the model before training.
	Model(c Config) (graph.Model, error)
	// Loss is the training loss.
	Loss() graph.Loss
	// Load returns all examples; Problem picks those of the setting. A missing data
	// set is an error whose cause is datasets.ErrNotFound.
	Load(ctx context.Context, c Config) (Problem, error)
	// RandomBatch is a mini-batch of random numbers in the shapes and dtypes of the
	// examples, which needs no data set: steps on it take as long.
	RandomBatch(c Config) graph.Batch
	// Work is the size of the computations.
	Work(c Config) Work
}

// Work is the size of a task's computations.
type Work struct {
	// MultiplyAdds are about those of a forward pass of one example.
	MultiplyAdds float64
	// EvaluationBatch is the number of examples that are evaluated at once.
	EvaluationBatch int
}

// Problem is an experiment's data at one scale.
type Problem struct {
	// Train is trained on. Evaluate has the same examples without random changes,
	// or the first of them, and gives the training loss. Test is nil where there is
	// no test set.
	Train, Evaluate, Test trainers.Set
}

// Problem loads the data that a setting asks for.
func (e *Experiment) Problem(ctx context.Context, c Config) (*Problem, error) {
	p, err := e.Task.Load(ctx, c)
	if err == nil && c.Validation >= p.Train.Len() {
		err = errors.Errorf("%d of %d examples cannot be kept for the validation", c.Validation, p.Train.Len())
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

// window has n examples of a set from number from on.
type window struct {
	trainers.Set
	from, n int
}

// first has the first n examples of a set, all of them for n = 0.
func first(s trainers.Set, n int) trainers.Set {
	if n == 0 || n >= s.Len() {
		return s
	}
	return window{s, 0, n}
}

// Len implements trainers.Set.
func (w window) Len() int { return w.n }

// Fill implements trainers.Set.
func (w window) Fill(b graph.Batch, rows []int, d trainers.Draw) {
	shifted := make([]int, len(rows))
	for i, r := range rows {
		shifted[i] = w.from + r
	}
	w.Set.Fill(b, shifted, d)
}

// withoutChanges are data that are evaluated as they are trained on.
func withoutChanges(train, test trainers.Set) Problem {
	return Problem{Train: train, Evaluate: train, Test: test}
}
