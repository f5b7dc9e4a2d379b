package precond

import (
	"cmp"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// relativeLearner takes meta-steps along the relative gradient.
type relativeLearner struct {
	x       *learn.Context
	c       RelativeConfig
	blocks  []relativeBlock
	region  *trustRegion
	kept    graph.Shapes[*graph.Proximal]
	prox    *graph.Proximal // the last used
	look    graph.RelativeLookahead
	phi     []*tensor.Dense // of all blocks
	dphi    []*tensor.Dense
	numbers []float64 // ε and the number of meta-steps
}

// relativeBlock learns the factors of one block.
type relativeBlock struct {
	name string
	form.Learner
}

// shared is implemented by plainUpdate of any dtype.
func (c *plainCore) shared() *plainCore { return c }

func newRelativeLearner(x *learn.Context) (learn.Learner, error) {
	u, ok := x.Update.(interface{ shared() *plainCore })
	if !ok || u.shared().c.Relative == nil {
		return nil, errors.Errorf("trainers: %s has no preconditioner to learn by the relative gradient", x.Optimizer.Name())
	}
	s := u.shared()
	l := &relativeLearner{x: x, c: *s.c.Relative, region: &s.region, numbers: []float64{1, 0}}
	l.c.TargetFSD = cmp.Or(l.c.TargetFSD, l.c.Trust/5, s.c.Clip)
	for _, b := range s.blocks {
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

func (l *relativeLearner) Due(step int) bool { return step < l.c.WarmUp || step%l.x.Settings.K == 0 }

// metaSteps is how many a step has.
func (l *relativeLearner) metaSteps(step int) int {
	switch {
	case step < l.c.WarmUp:
		return l.c.WarmUpMetaSteps
	case step%l.x.Settings.K == 0:
		return l.c.MetaSteps
	}
	return 0
}

func (l *relativeLearner) Growth() float64 { return math.Inf(1) }

func (l *relativeLearner) Invalidate() {}

// MetaGradient is nil: φ does not descend ∂Q/∂φ.
func (l *relativeLearner) MetaGradient() []*tensor.Dense { return nil }

func (l *relativeLearner) Memory() int {
	if l.c.WarmUp == 0 {
		return l.c.MetaSteps
	}
	return max(l.c.MetaSteps, l.c.WarmUpMetaSteps)
}

func (l *relativeLearner) KeepsInputs(step int) bool {
	for ahead := 1; ahead <= l.Memory(); ahead++ {
		if l.metaSteps(step+ahead) >= ahead {
			return true
		}
	}
	return false
}

func (l *relativeLearner) Describe() (name string, settings any) { return "relative", l.c }

func (l *relativeLearner) Prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	l.prox, err = l.x.Proximal(&l.kept, batch, tilde, graph.ProximalConfig{Lookahead: l.look})
	return err
}

func (l *relativeLearner) Learn(in *learn.Input) (*record.MetaStats, error) {
	m := &record.MetaStats{}
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

// metaStep is the i-th of a step.
func (l *relativeLearner) metaStep(in *learn.Input, i int, m *record.MetaStats) error {
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
		l.x.Task.Precision.BackOff()
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
	l.x.Update.Bound()
	l.adaptEpsilon(m.FSD)
	l.region.measure(m.FSD, m.WSD, m.Epsilon)
	return nil
}

// tries is how often a meta-step shortens ε before it goes on with what it has.
const tries = 5

// run computes the terms of Q and its gradient for an ε whose discrepancy is not
// above twice the target.
func (l *relativeLearner) run(in *learn.Input, m *record.MetaStats) error {
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
			return errors.WithMessage(l.prox.Gradient(l.dphi), "relative gradient")
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
func (l *relativeLearner) adaptEpsilon(fsd float64) {
	grow := float64(maxGrow)
	if fsd > 0 {
		grow = min(grow, math.Sqrt(l.c.TargetFSD/fsd))
	}
	l.numbers[0] = min(1, l.numbers[0]*grow)
}

// inputs are the lookahead's: the constants of each block and G.
func (l *relativeLearner) inputs(in *learn.Input) []*tensor.Dense {
	var all []*tensor.Dense
	for i, b := range l.blocks {
		all = append(append(all, b.Constants()...), in.Inputs[i])
	}
	return all
}

func (l *relativeLearner) State() []checkpoint.NamedTensor {
	all := []checkpoint.NamedTensor{{Name: "epsilon and meta-steps", Value: tensor.New(tensor.WithShape(2), tensor.WithBacking(l.numbers))}}
	if l.c.Trust > 0 {
		all = append(all, checkpoint.NamedTensor{Name: "curvature of the update", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.region.curvature))})
	}
	for _, b := range l.blocks {
		for _, a := range b.State() {
			all = append(all, checkpoint.NamedTensor{Name: b.name + "/" + a.Name, Value: a.Value})
		}
	}
	return all
}
