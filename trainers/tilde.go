package trainers

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// checkTilde reports inputs of B' that are missing or hold NaN, or are not as many as
// the model has.
func checkTilde(x []*tensor.Dense, inputs int) error {
	if len(x) != inputs {
		return ErrShape.Errorf("%d inputs for a model of %d", len(x), inputs)
	}
	return graph.Batch{X: x}.CheckValues()
}

// chooseTilde is the i-th B' of a step: what the caller gave, what the option's
// source gives, one of the mini-batches before, the latest first, or at first B
// itself.
func (e *engine) chooseTilde(batch graph.Batch, given []*tensor.Dense, i int) ([]*tensor.Dense, error) {
	_, fixed := e.split(batch.X)
	switch {
	case e.c.NoFSD:
		return nil, nil
	case given != nil:
		return given, nil
	case e.c.tilde != nil:
		x, err := e.c.tilde(e.steps*e.learner.Memory() + i)
		if err == nil {
			err = checkTilde(x, len(batch.X)-len(fixed))
		}
		return append(slices.Clone(x), fixed...), errors.WithMessage(err, "TildeFrom: function-space batch B'")
	case len(e.kept) > 0:
		return append(slices.Clone(e.kept[len(e.kept)-1-i%len(e.kept)]), fixed...), nil
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

// keep copies the inputs of a batch that a later step's B' may be.
func (e *engine) keep(batch graph.Batch) error {
	if e.learner == nil || e.c.NoFSD || e.c.tilde != nil || !e.learner.KeepsInputs(e.steps-1) {
		return nil
	}
	var oldest []*tensor.Dense
	if len(e.kept) == e.learner.Memory() {
		oldest, e.kept = e.kept[0], append(e.kept[:0], e.kept[1:]...)
	}
	data, _ := e.split(batch.X)
	if len(oldest) != len(data) {
		oldest = make([]*tensor.Dense, len(data))
	}
	for i, x := range data {
		if old := oldest[i]; old == nil || !apoops.SameShape(old.Shape(), x.Shape()) || old.Dtype() != x.Dtype() {
			oldest[i] = x.Clone().(*tensor.Dense)
			continue
		}
		if err := tensor.Copy(oldest[i], x); err != nil {
			return errors.Wrap(err, "trainers: keeping a batch")
		}
	}
	e.kept = append(e.kept, oldest)
	return nil
}
