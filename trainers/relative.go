package trainers

import (
	"cmp"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// RelativeConfig learns the factors of APO-Precond by relative steps. A visit is
// a few meta-steps on one mini-batch B and its gradient G, each with a B' of its
// own. For a block with X = BᵀGA, D = S², U = B(D∘X)Aᵀ and a part ε of the step a
// meta-step computes, in one graph,
//
//	R = ∂/∂U of Q/ε = -∇J_B(θ-εU) - λ_FSD/ε·∇D_F(θ-εU, θ) + λ_WSD·U
//	Z = BᵀRA,  E_B = Z(D∘X)ᵀ + X(D∘Z)ᵀ,  E_A = Zᵀ(D∘X) + Xᵀ(D∘Z)
//
// with E_B = Bᵀ∂(Q/ε)/∂B and E_A = Aᵀ∂(Q/ε)/∂A, scales them by the curvature of Q,
//
//	Ê_ij = 2E_ij/(v_i+v_j),  Ê ← Ê·min(1, 1/(1.2·‖Ê‖₂)),
//
// where v are running averages of the sums over rows (for B) or columns (for A) of
// p = 2D∘X² + |D∘X∘(Z+X)|, and moves
//
//	B ← B - Step·B·Ê_B,  A ← A - Step·A·Ê_A.
//
// S is not learned element by element: every ten meta-steps it takes over the
// lengths of the columns of A and B, which leaves P as it is. Diagonal blocks move
// log S by the same rule. ε is the largest part of the step, at most 1, that
// changes the network by TargetFSD; ε = 1 is Eq. 8, ε → 0 is what Theorem 1
// minimises. No matrix is inverted or decomposed.
type RelativeConfig struct {
	Step            float64 `json:"step"`               // above 0, below 1
	Decay           float64 `json:"decay"`              // of the averages v: at least 0, below 1
	TargetFSD       float64 `json:"target_fsd"`         // 0 stands for a fifth of Trust or, without it, the preconditioner's Clip
	MetaSteps       int     `json:"meta_steps"`         // at each K-th step, 1 or more
	WarmUp          int     `json:"warm_up"`            // first steps that are all visited, 0 or more
	WarmUpMetaSteps int     `json:"warm_up_meta_steps"` // at each of these, 1 or more
	// Trust, where it is not 0, takes the place of the preconditioner's Clip: the
	// update is ν·P·G with the largest ν ≤ 1 whose function-space discrepancy is not
	// above Trust, as meta-steps measured it. Clip predicts the discrepancy from
	// <G, PG>, which noise in G makes too large.
	Trust float64 `json:"trust,omitempty"`
}

// RelativeSteps has the settings found to work on small regression nets and
// autoencoders: steps of 0.1, averages of 0.99, five meta-steps at each K-th
// step, and ten at each of the first ten steps.
func RelativeSteps() *RelativeConfig {
	return &RelativeConfig{Step: 0.1, Decay: 0.99, MetaSteps: 5, WarmUp: 10, WarmUpMetaSteps: 10}
}

// mostMetaSteps is how many meta-steps a visit may have: the inputs of as many
// mini-batches are kept.
const mostMetaSteps = 10000

func (r *RelativeConfig) validate(c *PrecondConfig) error {
	if c.FullMatrix || c.MomentumMode == MomentumGradient {
		return errors.Errorf("trainers: %s: relative steps know neither a full matrix nor momentum of the gradient", c.Name())
	}
	for _, n := range []struct {
		field        string
		value, least int
	}{{"meta_steps", r.MetaSteps, 1}, {"warm_up", r.WarmUp, 0}, {"warm_up_meta_steps", r.WarmUpMetaSteps, 1}} {
		if n.value < n.least {
			return errors.Errorf("trainers: %s: %s is %d: it must be %d or more", c.Name(), n.field, n.value, n.least)
		}
		if n.field != "warm_up" && n.value > mostMetaSteps {
			return errors.Errorf("trainers: %s: %s is %d: it must be at most %d", c.Name(), n.field, n.value, mostMetaSteps)
		}
	}
	return rule.FirstFailed(c.Name(), rule.NotNegative("target_fsd", r.TargetFSD), rule.NotNegative("trust", r.Trust),
		rule.Require("clip", c.Clip, c.Clip > 0 || r.TargetFSD > 0 || r.Trust > 0, "positive where target_fsd and trust are 0"), rule.Fraction("decay", r.Decay),
		rule.Require("step", r.Step, r.Step > 0 && r.Step < 1, "above 0 and below 1"))
}

// relativeBlock is what learns the factors of one block.
type relativeBlock struct {
	name string
	form.Learner
}

// relativeLearner takes relative meta-steps.
type relativeLearner[T apoops.Float] struct {
	x       *learn.Context
	c       RelativeConfig
	blocks  []relativeBlock
	region  *trustRegion
	prox    *graph.Proximal
	look    graph.RelativeLookahead
	phi     []*tensor.Dense // of all blocks
	dphi    []*tensor.Dense
	numbers []float64 // ε and the number of meta-steps
}

func newRelativeLearner(x *learn.Context) (learn.Learner, error) {
	switch f := x.Update.(type) {
	case *precondForm[float32]:
		return makeRelativeLearner(x, f)
	case *precondForm[float64]:
		return makeRelativeLearner(x, f)
	}
	return nil, errors.Errorf("trainers: %s has no preconditioner to learn by relative steps", x.Optimizer.Name())
}

func makeRelativeLearner[T apoops.Float](x *learn.Context, f *precondForm[T]) (learn.Learner, error) {
	l := &relativeLearner[T]{x: x, c: *f.c.Relative, region: &f.region, numbers: []float64{1, 0}}
	l.c.TargetFSD = cmp.Or(l.c.TargetFSD, l.c.Trust/5, f.c.Clip)
	for _, b := range f.blocks {
		r, err := b.Form.Relative().Start(b.p)
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: %s: block %q", x.Optimizer.Name(), b.Name)
		}
		l.blocks = append(l.blocks, relativeBlock{b.Name, r})
		l.look.Blocks = append(l.look.Blocks, b.Block)
		l.phi = append(l.phi, r.Phi()...)
	}
	l.dphi = append(l.dphi, l.phi...)
	return l, nil
}

func (l *relativeLearner[T]) Due(step int) bool { return step < l.c.WarmUp || step%l.x.Settings.K == 0 }

// metaSteps is how many a step has.
func (l *relativeLearner[T]) metaSteps(step int) int {
	switch {
	case step < l.c.WarmUp:
		return l.c.WarmUpMetaSteps
	case step%l.x.Settings.K == 0:
		return l.c.MetaSteps
	}
	return 0
}

func (l *relativeLearner[T]) Growth() float64 { return math.Inf(1) }

func (l *relativeLearner[T]) Invalidate() {}

// MetaGradient is nil: the steps are relative ones.
func (l *relativeLearner[T]) MetaGradient() []*tensor.Dense { return nil }

func (l *relativeLearner[T]) Memory() int {
	if l.c.WarmUp == 0 {
		return l.c.MetaSteps
	}
	return max(l.c.MetaSteps, l.c.WarmUpMetaSteps)
}

func (l *relativeLearner[T]) KeepsInputs(step int) bool {
	for ahead := 1; ahead <= l.Memory(); ahead++ {
		if l.metaSteps(step+ahead) >= ahead {
			return true
		}
	}
	return false
}

func (l *relativeLearner[T]) Describe() (name string, settings any) { return "relative", l.c }

func (l *relativeLearner[T]) Prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	if l.prox == nil {
		l.prox, err = l.x.Proximal(batch, tilde, graph.ProximalConfig{Lookahead: l.look})
	}
	return err
}

func (l *relativeLearner[T]) Discard() { l.prox = nil }

func (l *relativeLearner[T]) Learn(in *learn.Input) (*MetaStats, error) {
	m := &MetaStats{}
	var err error
	if m.LambdaFSD, m.LambdaWSD, err = l.x.Settings.Lambdas(in.Step); err != nil {
		return nil, err
	}
	for i := range l.metaSteps(in.Step) {
		if err := l.metaStep(in, i, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// metaStep is the i-th of a visit.
func (l *relativeLearner[T]) metaStep(in *learn.Input, i int, m *MetaStats) error {
	tilde, err := in.Tilde(i)
	if err != nil {
		return err
	}
	if err := l.Prepare(in.Batch, tilde); err != nil {
		return err
	}
	if err := l.prox.Feed(in.Batch, tilde); err != nil {
		return err
	}
	if err := l.run(in, m); err != nil {
		return err
	}
	m.GradNorm = math.Sqrt(array.SumSquares(l.dphi...)) / m.Epsilon
	if !array.IsFinite(m.GradNorm) {
		m.Skipped = true
		l.numbers[0] /= 10
		return nil
	}
	energies, err := l.prox.Energies()
	if err != nil {
		return err
	}
	l.numbers[1]++
	step := form.Step{Number: l.numbers[1], Size: l.c.Step, Decay: l.c.Decay, Epsilon: m.Epsilon}
	dphi := l.dphi
	for i, b := range l.blocks {
		n := len(b.Phi())
		step.Gradient, step.DPhi, step.Energies = in.Inputs[i], dphi[:n], energies[i]
		b.Step(step)
		dphi = dphi[n:]
	}
	l.adaptEpsilon(m.FSD)
	l.region.measure(m.FSD, m.WSD, m.Epsilon)
	return nil
}

// tries is how often a meta-step shortens ε before it goes on with what it has.
const tries = 5

// run computes the terms of Q and its gradient for an ε whose discrepancy is not
// above twice the target.
func (l *relativeLearner[T]) run(in *learn.Input, m *MetaStats) error {
	for try := 1; ; try++ {
		m.Epsilon = l.numbers[0]
		if err := l.prox.FeedWeights(m.LambdaFSD/m.Epsilon, m.LambdaWSD*m.Epsilon); err != nil {
			return err
		}
		if err := l.prox.FeedStep(l.phi, l.inputs(in), m.Epsilon); err != nil {
			return err
		}
		if err := l.prox.Run(); err != nil {
			return err
		}
		t := l.prox.Terms()
		m.Q, m.Loss, m.FSD, m.WSD = t.Q, t.Loss, t.FSD, t.WSD
		if try == tries || t.FSD <= 2*l.c.TargetFSD {
			return errors.WithMessage(l.prox.Gradient(l.dphi), "relative steps")
		}
		l.numbers[0] *= max(math.Sqrt(l.c.TargetFSD/t.FSD), minShrink)
		if math.IsNaN(t.FSD) {
			l.numbers[0] = m.Epsilon * minShrink
		}
	}
}

// minShrink is the least factor on ε at once, maxGrow the largest.
const minShrink, maxGrow = 1e-3, 2

// adaptEpsilon moves ε towards the target after a meta-step with that
// discrepancy.
func (l *relativeLearner[T]) adaptEpsilon(fsd float64) {
	grow := float64(maxGrow)
	if fsd > 0 {
		grow = min(grow, math.Sqrt(l.c.TargetFSD/fsd))
	}
	l.numbers[0] = min(1, l.numbers[0]*grow)
}

// inputs are the lookahead's: the constants of each block and G.
func (l *relativeLearner[T]) inputs(in *learn.Input) []*tensor.Dense {
	var all []*tensor.Dense
	for i, b := range l.blocks {
		all = append(append(all, b.Constants()...), in.Inputs[i])
	}
	return all
}

func (l *relativeLearner[T]) State() []NamedTensor {
	all := []NamedTensor{{Name: "epsilon and meta-steps", Value: tensor.New(tensor.WithShape(2), tensor.WithBacking(l.numbers))}}
	if l.c.Trust > 0 {
		all = append(all, NamedTensor{Name: "curvature of the update", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.region.curvature))})
	}
	for _, b := range l.blocks {
		for _, a := range b.State() {
			all = append(all, NamedTensor{Name: b.name + "/" + a.Name, Value: a.Value})
		}
	}
	return all
}
