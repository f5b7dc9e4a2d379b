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
}

// NewGradient makes the learner of Algorithm 1: every K steps Settings.Meta takes one
// step down ∂Q/∂φ.
func NewGradient(c *Context) (Learner, error) {
	m, err := newMetaOptimizer(c.Settings.Meta, c.Update.Phi(), c.Settings.ClipMeta)
	return &gradientLearner{c: c, meta: m}, err
}

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
	}{o.Name(), o}
}

func (l *gradientLearner) State() []checkpoint.NamedTensor { return l.meta.state() }

func (l *gradientLearner) MetaGradient() []*tensor.Dense {
	if l.kept.Len() == 0 {
		return nil
	}
	return l.meta.dphi
}

// Learn is one meta-step: Q and ∂Q/∂φ at the old φ, then φ's move.
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
	if err := l.run(in, tilde, m); err != nil {
		return nil, err
	}
	t := l.prox.Terms()
	m.Q, m.Loss, m.FSD, m.WSD = t.Q, t.Loss, t.FSD, t.WSD
	if err := l.prox.Gradient(l.meta.dphi); err != nil {
		return nil, err
	}
	if m.GradNorm, m.Skipped, err = l.meta.step(); err != nil {
		return nil, err
	}
	if m.Skipped {
		l.c.Task.Precision.BackOff()
	}
	l.c.Update.Bound()
	return m, nil
}

func (l *gradientLearner) Prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	l.prox, err = l.c.Proximal(&l.kept, batch, tilde, graph.ProximalConfig{Lookahead: l.c.Update.Lookahead()})
	return err
}

// run computes the terms of Q and ∂Q/∂φ.
func (l *gradientLearner) run(in *Input, tilde []*tensor.Dense, m *record.MetaStats) error {
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
	return l.prox.Run()
}
