package trainers

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
)

// FromProblem makes a Trainer of a graph that the user already has: the code of the
// model stays, and the passes, that of the gradient among them, are rebuilt with the
// ops of package apoops, which take a fraction of the time of Gorgonia's. The user's
// own machine is not needed.
//
// The weights are the graph's: the parameters must be bound to their initial values,
// and their nodes see the trained ones, for each step changes them in place. So do
// the running statistics of Gorgonia's BatchNorm, which are among Params as
// statistics: a machine of the user's in evaluation mode has them, but one made for
// training sets them back to 0 and 1, as Gorgonia does. Dtype, where it is given,
// must be that of the weights; Seed seeds Gorgonia's Dropout and drawn targets (KFAC,
// EKFAC). The masks of an apoops.Dropout keep their own seed; their step is set to
// that of the Trainer.
//
// The size of the mini-batch is part of such a graph: every batch must have the
// shapes of the problem's inputs and targets. Evaluate takes batches of that size
// whatever larger size is given, and a set whose number of rows is no multiple of it
// is an error, for the loss of a part of a batch cannot be had: leave the last
// rows out, or evaluate them with a Trainer of a second graph, of another size, whose
// parameters are bound to the same tensors. In evaluation dropout is off and batch
// norm takes the running statistics. Accuracy takes one-hot rows for classes too.
//
// B' has the same size: an FSDFraction below 1 is an error.
//
// A checkpoint is one of the same graph: its operations and parameters are compared.
func FromProblem(p graph.Problem, o Optimizer, opts ...Option) (*Trainer, error) {
	if _, err := blas.Use(); err != nil {
		return nil, errors.WithMessage(err, "trainers")
	}
	c, err := newConfig(o, opts)
	if err != nil {
		return nil, err
	}
	if err := c.alone(); err != nil {
		return nil, errors.WithMessage(err, "trainers: FromProblem")
	}
	if err := c.wholeTilde(); err != nil {
		return nil, errors.WithMessage(err, "trainers: FromProblem")
	}
	if c.divergence.Build != nil {
		p.Divergence = c.divergence
	}
	p.Storage = c.storage()
	src, err := graph.NewStandalone(&p)
	if err != nil {
		return nil, err
	}
	fixed := newFixedBatch(src)
	if source := c.Calibration; source != nil {
		c.Calibration = func(i int) (graph.Batch, error) {
			b, err := source(i)
			if err != nil {
				return b, err
			}
			return fixed.complete(b)
		}
	}
	params, err := src.AllParams()
	if err != nil {
		return nil, err
	}
	if err := c.checkDtype(params); err != nil {
		return nil, err
	}
	blocks, err := p.Blocks(params)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(src, params, blocks, o, c)
	if err != nil {
		return nil, err
	}
	if err := c.checkDivergence(p); err != nil {
		return nil, errors.WithMessage(err, "trainers: FromProblem")
	}
	t := &Trainer{engine: e, source: src, fixed: fixed}
	e.Gradient, e.data, e.like = t.gradient, len(p.Inputs), fixed.example.X
	return t, errors.WithMessage(t.prepareAll(p.Example()), "trainers: FromProblem")
}

// prepareAll builds the graphs of the training, so that what cannot be rebuilt is
// known before it.
func (t *Trainer) prepareAll(example graph.Batch) error {
	if err := t.prepare(example); err != nil {
		return err
	}
	if rule := t.engine.Update.Graphs(); rule != nil {
		if err := rule.Prepare(example); err != nil {
			return err
		}
	}
	if t.engine.learner != nil {
		return t.engine.learner.Prepare(example, example.X)
	}
	return nil
}
