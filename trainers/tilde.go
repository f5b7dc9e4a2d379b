package trainers

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TildeFrom sets the source of B', the inputs of the function-space term: it is
// called at each meta-step with the step's number, counted from 0. A resumed
// run asks for the same numbers again, so an exact resume needs a function of
// the number alone. B' may have other shapes than B, but for a user's graph; each pair of
// shapes has a graph of its own (Graphs). By default B' is the mini-batch of the step
// before or, where batches have different shapes, the last one of the shapes of B; where
// there is none, as at step 0, B itself. For Precond it is a part of B.
func TildeFrom(source func(step int) ([]*tensor.Dense, error)) Option {
	return func(c *config) error {
		if source == nil {
			return errors.New("trainers: TildeFrom: no function")
		}
		c.tilde = source
		return nil
	}
}

// checkTilde reports inputs of B' that are missing or hold NaN, or are not as many as
// the model has.
func checkTilde(x []*tensor.Dense, inputs int) error {
	if len(x) != inputs {
		return ErrShape.Errorf("%d inputs for a model of %d", len(x), inputs)
	}
	return graph.Batch{X: x}.CheckValues()
}

// chooseTilde is the i-th B' of a step: what the caller gave, what the option's
// source gives, one of the earlier mini-batches of the shapes of B, the latest first, or
// B itself where there is none. So the default has as many graphs as B has shapes, not
// as there are pairs of them.
func (e *engine) chooseTilde(batch graph.Batch, given []*tensor.Dense, i int) ([]*tensor.Dense, error) {
	data, fixed := e.split(batch.X)
	switch {
	case e.c.NoFSD:
		return nil, nil
	case given != nil:
		return given, nil
	case e.c.tilde != nil:
		x, err := e.c.tilde(e.steps*e.learner.Memory() + i)
		if err == nil {
			err = checkTilde(x, len(data))
		}
		if err == nil && e.like != nil && !graph.SameShapes(x, e.like[:len(data)]) {
			err = ErrShape.Errorf("it is %v, the graph was made for %v", graph.Batch{X: x}, graph.Batch{X: e.like[:len(data)]})
		}
		return append(slices.Clone(x), fixed...), errors.WithMessage(err, "TildeFrom: function-space batch B'")
	}
	if same := e.latest(data); len(same) > 0 {
		return append(slices.Clone(same[len(same)-1-i%len(same)]), fixed...), nil
	}
	return batch.X, nil
}

// split divides the inputs of a batch into data and what is no data.
func (e *engine) split(x []*tensor.Dense) (data, fixed []*tensor.Dense) {
	if e.data == 0 || e.data > len(x) {
		return x, nil
	}
	return x[:e.data], x[e.data:]
}

// latest are the kept mini-batches of the shapes of some inputs, oldest first.
func (e *engine) latest(data []*tensor.Dense) (same [][]*tensor.Dense) {
	for _, k := range e.kept {
		if graph.SameShapes(k, data) {
			same = append(same, k)
		}
	}
	return same
}

// keptShapes limits what is kept: so many mini-batches for each that the learner asks for.
const keptShapes = 16

// keep copies the inputs of a batch that a later step's B' may be: those of the steps
// that the learner names and, where batches have different shapes, of all steps, for the
// next batch may be of any of them.
func (e *engine) keep(batch graph.Batch) error {
	if e.learner == nil || e.c.NoFSD || e.c.tilde != nil {
		return nil
	}
	data, _ := e.split(batch.X)
	others := func(k []*tensor.Dense) bool { return !graph.SameShapes(k, data) }
	if !e.learner.KeepsInputs(e.steps-1) && !slices.ContainsFunc(e.kept, others) {
		return nil
	}
	to := make([]*tensor.Dense, len(data))
	switch same := e.latest(data); {
	case len(same) == e.learner.Memory():
		oldest := slices.IndexFunc(e.kept, func(k []*tensor.Dense) bool { return !others(k) })
		e.kept = slices.Delete(e.kept, oldest, oldest+1)
		// Of several, the one that is the oldest from now on becomes the newest too.
		// So it always was, and runs must go on to the same bits.
		to = same[min(1, len(same)-1)]
	case len(e.kept) == keptShapes*e.learner.Memory():
		e.kept = slices.Delete(e.kept, 0, 1)
	}
	for i, x := range data {
		if to[i] == nil {
			to[i] = x.Clone().(*tensor.Dense)
			continue
		}
		if err := tensor.Copy(to[i], x); err != nil {
			return errors.Wrap(err, "trainers: keeping a batch")
		}
	}
	e.kept = append(e.kept, to)
	return nil
}
