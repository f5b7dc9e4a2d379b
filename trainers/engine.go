package trainers

import (
	"slices"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// engine is what Trainer and Solver share: everything that follows the
// gradient g = ∇J_B(θ) in a step of Algorithm 1.
type engine struct {
	c       *config
	o       Optimizer
	task    *task
	src     graph.Source
	params  []*graph.Param // of the model, statistics included
	learned []*graph.Param // what g, rules and forms go by
	form    form
	learner learner // nil where K = 0
	masks   *apoops.Random
	// base is what a Trainer's gradients come from, nil before the first step and
	// where they come from outside.
	base *graph.Base
	// moved is true after the first step that was taken with the graphs. Until then a
	// batch of other shapes than example, which base was built for, has them built
	// anew.
	example graph.Batch
	moved   bool
	// gradient is J and ∇J on any batch at the weights as they are; nil where the
	// gradients come from outside. The arrays are those of the step's g.
	gradient func(graph.Batch) (float64, []*tensor.Dense, error)
	// kept are the inputs of the mini-batches before a meta-step, oldest first:
	// the default B'.
	kept [][]*tensor.Dense
	// data is how many of a batch's inputs are data, 0 for all: those behind them are
	// the same in B and B'.
	data    int
	steps   int
	skipped int
	copies  []NamedTensor // of undo; nil where no step needed one
	loaded  []string      // notes on the checkpoint that was loaded
	// shapes and expected are those of the mini-batches (describeBatch): of the steps
	// taken, and of the run whose checkpoint was loaded; nil where not known.
	shapes, expected map[string]any
}

func newEngine(src graph.Source, params []*graph.Param, blocks []graph.Block, o Optimizer, c *config, masks *apoops.Random) (*engine, error) {
	learned := graph.Learned(params)
	t := &task{params: learned, model: params, blocks: blocks, src: src, masks: masks, seed: c.seed, targets: c.targets}
	e := &engine{c: c, o: o, task: t, src: src, params: params, learned: learned, masks: masks}
	var err error
	if f, ok := o.(former); ok {
		e.form, err = f.form(t, c)
	} else {
		e.form, err = newRateForm(o, t, c)
	}
	if err == nil && c.k > 0 {
		e.learner, err = c.learner(e)
	}
	return e, err
}

// group numbers the group of each parameter.
func (c *config) group(params []*graph.Param) ([]int, error) {
	group := make([]int, len(params))
	for i, p := range params {
		if c.perParam {
			group[i] = i
		}
		if c.groups != nil {
			k, ok := c.groups[p.Name]
			if !ok {
				return nil, errors.Errorf("trainers: RateGroups: parameter %q has no group", p.Name)
			}
			group[i] = k
		}
	}
	for name := range c.groups {
		if !slices.ContainsFunc(params, func(p *graph.Param) bool { return p.Name == name }) {
			return nil, errors.Errorf("trainers: RateGroups: there is no parameter %q", name)
		}
	}
	return group, nil
}

// step takes the step that follows the gradient g of the loss on the batch.
// tilde are the inputs of B', nil for the default. What base took so far is
// counted from start.
func (e *engine) step(batch graph.Batch, tilde []*tensor.Dense, loss float64, g []*tensor.Dense, start time.Time) (Stats, error) {
	s := Stats{Step: e.steps, Loss: loss}
	norm, err := e.refuse(batch, loss, g)
	if err != nil {
		return s, err
	}
	scale := e.c.schedule.At(e.steps)
	var meta func([]*tensor.Dense) error
	metaFailed := false
	if e.learner != nil && e.learner.due(e.steps) {
		meta = func(inputs []*tensor.Dense) error {
			began := time.Now()
			defer func() { s.MetaTime = time.Since(began) }()
			var err error
			s.Meta, err = e.learner.learn(&visit{
				step: e.steps, batch: batch, loss: loss, g: g, inputs: inputs, scale: scale,
				tilde: func(i int) ([]*tensor.Dense, error) { return e.chooseTilde(batch, tilde, i) },
			})
			if err == nil && s.Meta.Skipped {
				e.skipped++
			}
			metaFailed = err != nil
			return errors.WithMessagef(err, "trainers: meta-step at step %d", e.steps)
		}
	}
	sig := signal{t: e.steps + 1, g: g, norm: norm, batch: batch}
	undo := e.secure(sig, scale, meta != nil)
	err = e.form.step(sig, scale, meta)
	if undo != nil {
		if err := e.undoUnlessFinite(undo); err != nil {
			return s, err
		}
	}
	if err != nil && !metaFailed {
		return s, err // the weights did not move
	}
	e.moved, e.example = true, graph.Batch{}
	if e.base != nil {
		if moveErr := e.base.MoveStatistics(); err == nil {
			err = moveErr
		}
	}
	if meta != nil && e.c.recorder != nil {
		s.Precond = e.form.norms()
	}
	s.Rates = e.rates()
	e.steps++
	if e.shapes == nil {
		e.shapes = describeBatch(batch)
	}
	if keepErr := e.keep(batch); err == nil {
		err = keepErr
	}
	s.BaseTime = time.Since(start) - s.MetaTime
	if err == nil && e.c.recorder != nil {
		err = e.c.recorder.Record(s)
	}
	return s, err
}

// rates are the learning rates of the step that is next, or under way.
func (e *engine) rates() []float64 {
	if e.form == nil {
		return nil
	}
	return e.form.rates(e.steps, e.c.schedule.At(e.steps))
}

func (e *engine) phi() []NamedTensor {
	if e.form == nil {
		return nil
	}
	return e.form.phi()
}

// errNotMade is about a Trainer or Solver that is a zero value.
var errNotMade = errors.New("trainers: there is no training: make a Trainer with New or FromProblem, a Solver with Wrap")

// orEmpty is the engine, or for a Trainer or Solver that is a zero value one that
// has nothing.
func (e *engine) orEmpty() *engine {
	if e == nil {
		return &engine{}
	}
	return e
}

func (e *engine) fallbacks() int {
	if f, ok := e.form.(faller); ok {
		return f.fallbacks()
	}
	return 0
}

// proximal builds a graph of Q for batches of these shapes; c says what of it
// differs from the usual.
func (e *engine) proximal(batch graph.Batch, tilde []*tensor.Dense, c graph.ProximalConfig) (*graph.Proximal, error) {
	c.Source, c.Params, c.Batch, c.Tilde, c.Random = e.src, e.params, batch, tilde, e.masks
	c.NoFSD, c.NoWSD = c.NoFSD || e.c.noFSD, c.NoWSD || e.c.noWSD
	return graph.NewProximal(c)
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
// source gives, one of the mini-batches before, the latest first, or at first B
// itself.
func (e *engine) chooseTilde(batch graph.Batch, given []*tensor.Dense, i int) ([]*tensor.Dense, error) {
	_, fixed := e.split(batch.X)
	switch {
	case e.c.noFSD:
		return nil, nil
	case given != nil:
		return given, nil
	case e.c.tilde != nil:
		x, err := e.c.tilde(e.steps*e.learner.memory() + i)
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

// discard has all graphs built anew, for batches of other shapes.
func (e *engine) discard() {
	e.base = nil
	if e.learner != nil {
		e.learner.discard()
	}
	if p := preparerOf(e.form); p != nil {
		p.discard()
	}
}

// sameShapes compares the arrays of two batches.
func sameShapes(a, b graph.Batch) bool {
	same := func(x, y *tensor.Dense) bool {
		return x != nil && y != nil && x.Dtype() == y.Dtype() && apoops.SameShape(x.Shape(), y.Shape())
	}
	return slices.EqualFunc(a.X, b.X, same) && slices.EqualFunc(a.T, b.T, same)
}

// keep copies the inputs of a batch that a later step's B' may be.
func (e *engine) keep(batch graph.Batch) error {
	if e.learner == nil || e.c.noFSD || e.c.tilde != nil || !e.learner.keeps(e.steps-1) {
		return nil
	}
	var oldest []*tensor.Dense
	if len(e.kept) == e.learner.memory() {
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
