package trainers

import (
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// Trainer trains a model with an optimizer whose learning rate or
// preconditioner APO adapts. It alternates two virtual machines: one for the
// gradient of every step, one for the meta-gradient of every K-th. A Trainer
// must not be used by two goroutines at once.
type Trainer struct {
	engine *engine
	source trainable
	loss   graph.Loss  // says how batches and targets count; the zero value for a graph of the user's
	fixed  *fixedBatch // nil where batches of any size will do
	evals  graph.Shapes[*graph.Evaluation]

	predictions graph.Shapes[*prediction]
}

// trainable is what a Trainer trains and evaluates.
type trainable interface {
	graph.Source
	graph.Evaluable
}

// New draws the model's initial weights and starts training. The graphs are
// built at the first step, for batches of its shapes. The options' defaults
// adapt the rate (or preconditioner) every 10 steps.
func New(model graph.Model, loss graph.Loss, o Optimizer, opts ...Option) (*Trainer, error) {
	if graph.IsNil(model) {
		return nil, errors.New("trainers: no model")
	}
	if loss.Build == nil {
		return nil, errors.New("trainers: no loss")
	}
	c, err := newConfig(o, opts)
	if err != nil {
		return nil, err
	}
	params, err := model.Init(c.seed, c.dtype)
	if err != nil {
		return nil, errors.WithMessage(err, "trainers: initial weights")
	}
	if err := graph.CheckParams(params); err != nil {
		return nil, err
	}
	src := graph.Objective{Model: model, Loss: loss, Divergence: c.divergence, Storage: c.storage(), Members: c.comm, Parts: c.parts, JointNorm: c.jointNorm}
	e, err := newEngine(src, params, graph.BlockPerParam(params), o, c)
	if err != nil {
		return nil, err
	}
	t := &Trainer{engine: e, source: src, loss: loss}
	e.Gradient = t.gradient
	return t, nil
}

// Step takes one training step on a mini-batch. A loss, gradient or batch
// statistic that is not finite is an error that names the layer where such values
// first arise, and so is an update that would make the weights, the optimizer's
// state or φ not finite (ErrNotFinite). After an error all is as before the step,
// unless the error is of the meta-step, other than ErrNotFinite, or the recorder:
// then the base optimizer's step was taken. At each hundredth step weights and state
// below the normal range of their dtype, 1.2e-38 in float32, become 0.
func (t *Trainer) Step(batch graph.Batch) (Stats, error) { return t.StepWith(batch, nil) }

// StepWith is Step with the inputs of B', the batch of the function-space term,
// for a step with a meta-step.
func (t *Trainer) StepWith(batch graph.Batch, tilde []*tensor.Dense) (Stats, error) {
	if t.engine == nil {
		return Stats{}, errNotMade
	}
	s, err := t.takeStep(batch, tilde)
	return s, t.engine.c.ofMember(err)
}

func (t *Trainer) takeStep(batch graph.Batch, tilde []*tensor.Dense) (Stats, error) {
	start := time.Now()
	e := t.engine
	fail := func(err error) (Stats, error) {
		return Stats{Step: e.steps}, errors.WithMessagef(err, "trainers: step %d", e.steps)
	}
	e.Task.Random.SetStep(int64(e.steps))
	if t.fixed != nil {
		t.fixed.SetStep(int64(e.steps))
		var err error
		if batch, err = t.fixed.complete(batch); err != nil {
			return fail(err)
		}
		if tilde != nil {
			if tilde, err = t.fixed.completeInputs(tilde); err != nil {
				return fail(errors.WithMessage(err, "function-space batch B'"))
			}
		}
	} else if tilde != nil {
		if err := checkTilde(tilde, len(batch.X)); err != nil {
			return fail(errors.WithMessage(err, "function-space batch B'"))
		}
	}
	if err := e.agree(batch); err != nil {
		return fail(err)
	}
	if err := t.runBase(batch); err != nil {
		return fail(err)
	}
	b := batchStep{batch: batch, tilde: tilde, loss: e.base.LossValue(), start: start}
	var err error
	if err = e.takeGradient(&b); err != nil {
		return fail(err)
	}
	return e.step(b)
}

// gradient is J and ∇J on a batch; the arrays are valid until the next call.
func (t *Trainer) gradient(batch graph.Batch) (float64, []*tensor.Dense, error) {
	if err := t.runBase(batch); err != nil {
		return 0, nil, err
	}
	g, err := t.engine.base.Grads()
	return t.engine.base.LossValue(), g, err
}

// runBase runs the graph of the gradient on a batch.
func (t *Trainer) runBase(batch graph.Batch) error {
	if t.fixed == nil {
		if err := batch.Check(); err != nil {
			return err
		}
	}
	if err := t.prepare(batch); err != nil {
		return err
	}
	if err := t.engine.base.Feed(batch); err != nil {
		return err
	}
	if err := t.engine.Task.Precision.Apply(t.engine.base); err != nil {
		return err
	}
	return t.engine.base.Run()
}

// prepare chooses the graph of the gradient for batches of these shapes, and builds it
// where it is not kept.
func (t *Trainer) prepare(batch graph.Batch) error {
	e := t.engine
	b, ok := e.bases.Find(batch, nil)
	if !ok {
		err := e.fits(batch)
		if err != nil {
			return err
		}
		if b, err = graph.NewBaseRows(e.Task.Source, e.Task.Model, batch, e.Task.Random, e.rowReader()); err != nil {
			return errors.WithMessagef(err, "mini-batch of %v%s", batch, e.dtypeHint(batch))
		}
		if err := e.bases.Add(batch, nil, b); err != nil {
			return err
		}
	}
	e.base = b
	return nil
}

// Steps is the number of steps taken.
func (t *Trainer) Steps() int { return t.engine.orEmpty().steps }

// K is the number of steps from one meta-step to the next (EveryK), 0 without meta-steps.
func (t *Trainer) K() int {
	if t.engine == nil {
		return 0
	}
	return t.engine.c.K
}

// Skipped is the number of meta-steps that were left out because the
// meta-gradient, or Calibrated's Q, was not finite.
func (t *Trainer) Skipped() int { return t.engine.orEmpty().skipped }

// Fallbacks is the number of times that KFAC, EKFAC or Shampoo kept a block's older
// statistics, inverses or roots, or took its plain gradient, because what they
// computed was not finite, beyond the range of 16 bits (see Precision), or could not be
// decomposed.
func (t *Trainer) Fallbacks() int { return t.engine.orEmpty().fallbacks() }

// Params are the model's parameters, with its statistics (graph.Param.Statistic)
// in their places; their values change with every step. They are those of the training:
// see Evaluated.
func (t *Trainer) Params() []*graph.Param { return t.engine.orEmpty().Task.Model }

// Phi are the learned parameters of the update rule: log η of each group and the
// logarithms of other hyperparameters that are learned, or the factors of each block.
func (t *Trainer) Phi() []NamedTensor { return t.engine.orEmpty().phi() }

// Rates are the learning rates of each group that the next step starts from;
// none for APO-Precond.
func (t *Trainer) Rates() []float64 { return t.engine.orEmpty().rates() }
