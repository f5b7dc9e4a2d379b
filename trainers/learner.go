package trainers

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// learner moves φ: it takes the meta-steps of Algorithm 1.
type learner interface {
	// prepare builds the graphs for batches of these shapes, once.
	prepare(batch graph.Batch, tilde []*tensor.Dense) error
	// discard has them built anew.
	discard()
	// due tells whether the step of that number, from 0, has a meta-step.
	due(step int) bool
	// learn takes the meta-steps of one step.
	learn(v *visit) (*MetaStats, error)
	// growth is how far learn may move an element of φ, +Inf where that is not known.
	growth() float64
	// forget is that of rule.
	forget()
	// keeps tells whether a later meta-step wants the inputs of that step's
	// mini-batch as B', and memory how many such it wants at most.
	keeps(step int) bool
	memory() int
	// state lists the learner's arrays for a checkpoint, without φ.
	state() []NamedTensor
	// describe gives the learner's name and settings for a checkpoint; the
	// settings become JSON.
	describe() (name string, settings any)
}

// visit is what a learner sees of a step: what the base optimizer has done of it
// before the weights move.
type visit struct {
	step   int // from 0
	batch  graph.Batch
	loss   float64         // J_B(θ)
	g      []*tensor.Dense // ∇J_B(θ)
	inputs []*tensor.Dense // of the lookahead
	scale  float64         // the schedule's factor
	// tilde gives the inputs of B' for the i-th meta-step of the visit, nil where
	// there is no function-space term.
	tilde func(i int) ([]*tensor.Dense, error)
}

// gradientLearner is the paper's: every K steps one step of a meta-optimizer
// down ∂Q/∂φ.
type gradientLearner struct {
	e    *engine
	meta *metaOptimizer
	prox *graph.Proximal
}

func newGradientLearner(e *engine) (learner, error) {
	m, err := newMetaOptimizer(e.c.meta, e.form.phi(), e.c.metaClip)
	return &gradientLearner{e: e, meta: m}, err
}

func (l *gradientLearner) due(step int) bool { return step%l.e.c.k == 0 }

func (l *gradientLearner) growth() float64 { return l.meta.growth() }

func (l *gradientLearner) forget() { l.meta.rule.forget() }

func (l *gradientLearner) keeps(step int) bool { return l.due(step + 1) }

func (l *gradientLearner) memory() int { return 1 }

func (l *gradientLearner) describe() (string, any) {
	o := l.e.c.meta
	return "gradient", struct {
		MetaOptimizer string    `json:"meta_optimizer"`
		Settings      Optimizer `json:"settings"`
	}{o.Name(), o}
}

func (l *gradientLearner) state() []NamedTensor { return l.meta.state() }

// learn is one meta-step: Q and ∂Q/∂φ at the old φ, then φ's move.
func (l *gradientLearner) learn(v *visit) (*MetaStats, error) {
	c := l.e.c
	m := &MetaStats{LambdaFSD: c.fsd(v.step), LambdaWSD: c.wsd(v.step)}
	if err := checkLambda("FSD", m.LambdaFSD); err != nil {
		return nil, err
	}
	if err := checkLambda("WSD", m.LambdaWSD); err != nil {
		return nil, err
	}
	tilde, err := v.tilde(0)
	if err != nil {
		return nil, err
	}
	if err := l.run(v, tilde, m); err != nil {
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
	l.e.form.bound()
	return m, nil
}

func (l *gradientLearner) prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	if l.prox == nil {
		l.prox, err = l.e.proximal(batch, tilde, graph.ProximalConfig{Lookahead: l.e.form.lookahead()})
	}
	return err
}

func (l *gradientLearner) discard() { l.prox = nil }

func (l *gradientLearner) run(v *visit, tilde []*tensor.Dense, m *MetaStats) error {
	if err := l.prepare(v.batch, tilde); err != nil {
		return err
	}
	if err := l.prox.Feed(v.batch, tilde); err != nil {
		return err
	}
	if err := l.prox.FeedWeights(m.LambdaFSD, m.LambdaWSD); err != nil {
		return err
	}
	if err := l.prox.FeedStep(l.meta.values(), v.inputs, v.scale); err != nil {
		return err
	}
	return l.prox.Run()
}
