package learn

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// gradientLearner is the paper's: every K steps one step of a meta-optimizer
// down ∂Q/∂φ.
type gradientLearner struct {
	c    *Context
	meta *metaOptimizer
	kept graph.Shapes[*graph.Proximal]
	prox *graph.Proximal // the last used
	// noLoss says that these graphs are without the loss.
	noLoss bool
	next   *nextBatch // of learning rates alone; nil for other φ
	last   bool       // a meta-step has been taken
}

// NewGradient makes the learner of Algorithm 1: every K steps Settings.Meta takes one
// step down ∂Q/∂φ. Where Settings.NextBatch is set and φ are learning rates alone it is a
// Waiting learner, whose Finish takes the step.
func NewGradient(c *Context) (Learner, error) {
	m, err := newMetaOptimizer(c.Settings, c.Update.Phi())
	l := &gradientLearner{c: c, meta: m}
	if f, ok := c.Update.(*rates); ok && err == nil && f.hyper == nil {
		l.next = newNextBatch(f)
	}
	return l, err
}

// waiting reports whether meta-steps wait for the next mini-batch.
func (l *gradientLearner) waiting() bool { return l.next != nil && l.c.Settings.NextBatch }

func (l *gradientLearner) Due(step int) bool { return step%l.c.Settings.K == 0 }

func (l *gradientLearner) Growth() float64 { return l.meta.growth() }

func (l *gradientLearner) Invalidate() { l.meta.rule.Invalidate() }

func (l *gradientLearner) KeepsInputs(step int) bool { return l.Due(step + 1) }

func (l *gradientLearner) Memory() int { return 1 }

func (l *gradientLearner) Describe() (string, any) {
	o := l.c.Settings.Meta
	return "gradient", struct {
		MetaOptimizer string         `json:"meta_optimizer"`
		Settings      rule.Optimizer `json:"settings"`
		NextBatch     bool           `json:"next_batch,omitempty"`
	}{o.Name(), o, l.waiting()}
}

func (l *gradientLearner) State() []checkpoint.NamedTensor {
	if l.waiting() {
		return append(l.meta.state(), l.next.arrays()...)
	}
	return l.meta.state()
}

func (l *gradientLearner) MetaGradient() []*tensor.Dense {
	if !l.last {
		return nil
	}
	return l.meta.dphi
}

// Waits implements Waiting.
func (l *gradientLearner) Waits() bool { return l.waiting() && l.next.state[0] != idle }

// Drop implements Waiting.
func (l *gradientLearner) Drop() {
	if l.next != nil {
		l.next.state[0] = idle
	}
}

// Learn is one meta-step: Q and ∂Q/∂φ at the old φ, then φ's move. Where the loss is that on
// the next mini-batch, it is what is to know of the other terms, and nil.
func (l *gradientLearner) Learn(in *Input) (*record.MetaStats, error) {
	m := &record.MetaStats{}
	var err error
	if m.LambdaFSD, m.LambdaWSD, err = l.c.Settings.Lambdas(in.Step); err != nil {
		return nil, err
	}
	tilde, err := in.Tilde(0)
	if err != nil {
		return nil, err
	}
	dphi := l.meta.dphi
	if l.waiting() {
		dphi = l.next.views
	}
	if err := l.run(in, tilde, m, dphi); err != nil {
		return nil, err
	}
	if l.waiting() {
		if !l.next.begin(in, m) {
			l.c.Task.Precision.BackOff()
		}
		return nil, nil
	}
	return m, l.step(m, true)
}

// Finish implements Waiting.
func (l *gradientLearner) Finish(loss float64, g []*tensor.Dense) (*record.MetaStats, error) {
	m := l.next.stats(loss)
	fine := l.next.gradient(l.meta.dphi, g)
	l.Drop()
	return m, l.step(m, fine)
}

// step moves φ by ∂Q/∂φ. If that is not finite the loss scale is lowered, where lower is set.
func (l *gradientLearner) step(m *record.MetaStats, lower bool) (err error) {
	l.last = true
	if m.GradNorm, m.Skipped, err = l.meta.step(); err != nil {
		return err
	}
	if m.Skipped && lower {
		l.c.Task.Precision.BackOff()
	}
	l.c.Update.Bound()
	return nil
}

// noTerms reports whether nothing of Q is computed at a meta-step itself.
func (l *gradientLearner) noTerms() bool {
	return l.waiting() && l.c.Settings.NoFSD && l.c.Settings.NoWSD
}

func (l *gradientLearner) Prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	if l.noTerms() {
		return nil
	}
	if l.noLoss != l.waiting() { // a run that is resumed goes on as it was
		l.kept, l.noLoss = graph.Shapes[*graph.Proximal]{}, l.waiting()
	}
	l.prox, err = l.c.Proximal(&l.kept, batch, tilde, graph.ProximalConfig{Lookahead: l.c.Update.Lookahead(), NoLoss: l.noLoss})
	return err
}

// run computes the terms of Q, for m, and their derivatives by φ.
func (l *gradientLearner) run(in *Input, tilde []*tensor.Dense, m *record.MetaStats, dphi []*tensor.Dense) error {
	if l.noTerms() {
		clear(l.next.dphi)
		return nil
	}
	if err := l.Prepare(in.Batch, tilde); err != nil {
		return err
	}
	if err := l.prox.Feed(in.Batch, tilde); err != nil {
		return err
	}
	if err := l.prox.FeedWeights(m.LambdaFSD, m.LambdaWSD); err != nil {
		return err
	}
	if err := l.prox.FeedStep(l.meta.values(), in.Inputs, in.Scale); err != nil {
		return err
	}
	if err := l.prox.Run(); err != nil {
		return err
	}
	t := l.prox.Terms()
	m.Q, m.Loss, m.FSD, m.WSD = t.Q, t.Loss, t.FSD, t.WSD
	return l.prox.Gradient(dphi)
}
