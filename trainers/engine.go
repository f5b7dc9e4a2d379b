package trainers

import (
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// engine is what Trainer and Solver share: everything that follows the
// gradient g = ∇J_B(θ) in a step of Algorithm 1.
type engine struct {
	c      *config
	o      Optimizer
	src    graph.Source
	params []*graph.Param
	form   form
	meta   *metaOptimizer // nil where K = 0
	prox   *graph.Proximal
	masks  *apoops.Masks
	// kept are the inputs of the mini-batch before a meta-step, the default B'.
	kept    []*tensor.Dense
	steps   int
	skipped int
}

func newEngine(src graph.Source, params []*graph.Param, blocks []graph.Block, o Optimizer, c *config, masks *apoops.Masks) (*engine, error) {
	e := &engine{c: c, o: o, src: src, params: params, masks: masks}
	var err error
	if p, ok := o.(*PrecondConfig); ok {
		if c.blocks != nil {
			if blocks, err = c.blocks(params); err != nil {
				return nil, errors.WithMessage(err, "trainers: Blocks")
			}
		}
		e.form = newPrecondForm(p, params, blocks)
	} else {
		group, err := c.group(params)
		if err != nil {
			return nil, err
		}
		if e.form, err = newRateForm(o, params, group, c.linear, c.minRate, c.maxRate); err != nil {
			return nil, err
		}
	}
	if c.k > 0 {
		e.meta, err = newMetaOptimizer(c.meta, e.form.phi(), c.metaClip)
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
	return group, nil
}

// step takes the step that follows the gradient g of the loss on the batch.
// tilde are the inputs of B', nil for the default. What base took so far is
// counted from start.
func (e *engine) step(batch graph.Batch, tilde []*tensor.Dense, loss float64, g []*tensor.Dense, start time.Time) (Stats, error) {
	s := Stats{Step: e.steps, Loss: loss}
	if !finite(loss) {
		return s, errors.Errorf("trainers: step %d: the loss is %v; the weights are as before the step", e.steps, loss)
	}
	if !finite(sumSquares(g...)) {
		return s, errors.Errorf("trainers: step %d: the gradient of %s is not finite; the weights are as before the step", e.steps, e.culprit(g))
	}
	scale := e.c.schedule.At(e.steps)
	var meta func([]*tensor.Dense) error
	if e.c.k > 0 && e.steps%e.c.k == 0 {
		meta = func(inputs []*tensor.Dense) error {
			began := time.Now()
			defer func() { s.MetaTime = time.Since(began) }()
			terms, err := e.metaStep(batch, tilde, inputs, scale)
			s.Meta = terms
			return errors.WithMessagef(err, "trainers: meta-step at step %d", e.steps)
		}
	}
	err := e.form.step(e.steps+1, scale, g, meta)
	if meta != nil && e.c.recorder != nil {
		s.Precond = e.form.norms()
	}
	s.Rates = e.form.rates(scale)
	e.steps++
	if keepErr := e.keep(batch); err == nil {
		err = keepErr
	}
	s.BaseTime = time.Since(start) - s.MetaTime
	if err == nil && e.c.recorder != nil {
		err = e.c.recorder.Record(s)
	}
	return s, err
}

// culprit names the first parameter whose gradient is not finite.
func (e *engine) culprit(g []*tensor.Dense) string {
	for i, d := range g {
		if !finite(sumSquares(d)) {
			return e.params[i].Name
		}
	}
	return "the parameters together"
}

// metaStep is one meta-step: Q and ∂Q/∂φ at the old φ, then φ's move.
func (e *engine) metaStep(batch graph.Batch, tilde, inputs []*tensor.Dense, scale float64) (*MetaStats, error) {
	m := &MetaStats{LambdaFSD: e.c.fsd(e.steps), LambdaWSD: e.c.wsd(e.steps)}
	if err := checkLambda("FSD", m.LambdaFSD); err != nil {
		return nil, err
	}
	if err := checkLambda("WSD", m.LambdaWSD); err != nil {
		return nil, err
	}
	tilde, err := e.chooseTilde(batch, tilde)
	if err != nil {
		return nil, err
	}
	if err := e.runProximal(batch, tilde, inputs, scale, m.LambdaFSD, m.LambdaWSD); err != nil {
		return nil, err
	}
	t := e.prox.Terms()
	m.Q, m.Loss, m.FSD, m.WSD = t.Q, t.Loss, t.FSD, t.WSD
	if err := e.prox.Gradient(e.meta.dphi); err != nil {
		return nil, err
	}
	if m.GradNorm, m.Skipped, err = e.meta.step(); err != nil {
		return nil, err
	}
	if m.Skipped {
		e.skipped++
	}
	e.form.bound()
	return m, nil
}

// buildProximal makes the second graph for batches of these shapes, once.
func (e *engine) buildProximal(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	if e.prox == nil {
		e.prox, err = graph.NewProximal(graph.ProximalConfig{
			Source: e.src, Params: e.params, Lookahead: e.form.lookahead(),
			Batch: batch, Tilde: tilde, Masks: e.masks, NoFSD: e.c.noFSD, NoWSD: e.c.noWSD,
		})
	}
	return err
}

func (e *engine) runProximal(batch graph.Batch, tilde, inputs []*tensor.Dense, scale, lambdaFSD, lambdaWSD float64) error {
	if err := e.buildProximal(batch, tilde); err != nil {
		return err
	}
	if err := e.prox.Feed(batch, tilde); err != nil {
		return err
	}
	if err := e.prox.FeedWeights(lambdaFSD, lambdaWSD); err != nil {
		return err
	}
	if err := e.prox.FeedStep(e.meta.values(), inputs, scale); err != nil {
		return err
	}
	return e.prox.Run()
}

// chooseTilde is B': what the caller gave, what the option's source gives, the
// batch of the step before, or at first B itself.
func (e *engine) chooseTilde(batch graph.Batch, given []*tensor.Dense) ([]*tensor.Dense, error) {
	switch {
	case e.c.noFSD:
		return nil, nil
	case given != nil:
		return given, nil
	case e.c.tilde != nil:
		x, err := e.c.tilde(e.steps)
		return x, errors.WithMessage(err, "function-space batch B'")
	case e.kept != nil:
		return e.kept, nil
	}
	return batch.X, nil
}

// keep copies the inputs of a batch that the next step's B' may be.
func (e *engine) keep(batch graph.Batch) error {
	if e.c.k == 0 || e.c.noFSD || e.c.tilde != nil || e.steps%e.c.k != 0 {
		return nil
	}
	if len(e.kept) != len(batch.X) {
		e.kept = make([]*tensor.Dense, len(batch.X))
	}
	for i, x := range batch.X {
		if old := e.kept[i]; old == nil || !old.Shape().Eq(x.Shape()) || old.Dtype() != x.Dtype() {
			e.kept[i] = x.Clone().(*tensor.Dense)
			continue
		}
		if err := tensor.Copy(e.kept[i], x); err != nil {
			return errors.Wrap(err, "trainers: keeping a batch")
		}
	}
	return nil
}
