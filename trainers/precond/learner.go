package precond

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// learner takes meta-steps towards the minimiser of Theorem 1's objective. Each draws a
// probe of the outputs on B' (graph.Probe), in whose graph the form of each block takes
// a step by what the probe shows of its curvature.
type learner struct {
	x      *learn.Context
	u      *core
	noise  *apoops.Random
	kept   graph.Shapes[*graph.Probe]
	probe  *graph.Probe // the last used
	blocks []form.ProbeLearner
	// multiples are those of blocks that the probe has no rows of, nil for the others.
	multiples []*multiple
}

// probeSeed makes the seed of probes another than those of dropout and drawn targets.
const probeSeed = 0x9a0be

func newLearner(x *learn.Context) (learn.Learner, error) {
	own, ok := x.Update.(interface{ shared() *core })
	if !ok {
		return newRelativeLearner(x) // of the form that took the place
	}
	u := own.shared()
	l := &learner{x: x, u: u, noise: apoops.NewRandom(x.Task.Seed ^ probeSeed)}
	for _, b := range u.blocks {
		p, err := b.Form.Probed().Start(b.p)
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: %s: block %q", u.c.Name(), b.Name)
		}
		l.blocks = append(l.blocks, p)
	}
	l.multiples = make([]*multiple, len(l.blocks))
	u.norms = l.norms
	if u.c.WarmUp > 0 || u.c.LR == 0 {
		u.warmUp = l.begin
	}
	return l, nil
}

func (l *learner) Due(step int) bool {
	c := &l.u.c
	if step < c.Frequent {
		return true
	}
	return step%max(1, min(l.x.Settings.K, step/c.Frequent)) == 0
}

// Growth is 0: the learner keeps φ finite by itself, after the step was formed.
func (l *learner) Growth() float64 { return 0 }

func (l *learner) Invalidate() {}

// MetaGradient is nil: φ does not descend ∂Q/∂φ.
func (l *learner) MetaGradient() []*tensor.Dense { return nil }

// Memory is that of B', of which nothing is kept: it is a part of B.
func (l *learner) Memory() int { return 1 }

func (l *learner) KeepsInputs(int) bool { return false }

func (l *learner) Describe() (name string, settings any) { return "probes", struct{}{} }

func (l *learner) Prepare(batch graph.Batch, tilde []*tensor.Dense) error {
	example, err := l.part(graph.Batch{X: tilde})
	if err != nil {
		return err
	}
	return l.choose(example)
}

// choose takes the probe for parts of a batch like example.
func (l *learner) choose(example graph.Batch) error {
	if p, ok := l.kept.Find(example, nil); ok {
		l.probe = p
		return nil
	}
	p, err := l.build(example)
	if err != nil {
		return errors.WithMessagef(err, "trainers: %s: %v", l.u.c.Name(), example)
	}
	l.probe, l.kept.Limit = p, l.x.Task.Graphs
	return l.kept.Add(example, nil, p)
}

func (l *learner) build(example graph.Batch) (*graph.Probe, error) {
	c := probeConfig(l.x.Task, l.u.blocks, example, &l.u.c, l.noise)
	rows, err := graph.ProbeRows(c)
	if err != nil {
		return nil, err
	}
	for i, p := range l.blocks {
		b := l.u.blocks[i]
		if b.rowless = b.Form.Probed().Rows() && !rows[i]; b.rowless {
			m := l.multiples[i]
			if m == nil {
				if m, err = newMultiple(b, p); err != nil {
					return nil, errors.WithMessagef(err, "block %q", b.Name)
				}
			}
			c.Blocks[i].Form, p, l.multiples[i] = graph.RowlessForm(), m, m
		}
		c.Learners = append(c.Learners, p)
	}
	return graph.NewProbe(c)
}

// probeConfig is that of the probe on B', without its learners.
func probeConfig(t *rule.Task, blocks []*block, batch graph.Batch, c *Config, noise *apoops.Random) graph.ProbeConfig {
	p := graph.ProbeConfig{Source: t.Source, Params: t.Model, Batch: batch, Positions: c.Positions, Random: t.Random, Noise: noise}
	for _, b := range blocks {
		p.Blocks = append(p.Blocks, b.Block)
	}
	return p
}

// part is B' of a batch: examples in a row, from one end of the batch to the other as
// probe follows probe. A user's graph takes batches of one size alone.
func (l *learner) part(batch graph.Batch) (graph.Batch, error) {
	if _, whole := l.x.Task.Source.(rule.UsersGraph); whole {
		return batch, nil
	}
	all := batch.Len()
	n := min(all, rule.Equal(max(1, int(math.Round(l.u.c.Rows*float64(all)))), l.x.Task.Parts))
	parts, from := (all+n-1)/n, 0
	if parts > 1 {
		from = int(l.u.probes[0]) % parts * (all - n) / (parts - 1)
	}
	return batch.Part(from, n)
}

// draw feeds the probe and gives it new directions.
func (l *learner) draw(tilde []*tensor.Dense) error {
	part, err := l.part(graph.Batch{X: tilde})
	if err != nil {
		return err
	}
	if err := l.choose(part); err != nil {
		return err
	}
	l.noise.SetStep(int64(l.u.probes[0]))
	l.u.probes[0]++
	return l.probe.Feed(part)
}

// step computes a step from the probe, again with a lower loss scale where what it sees of
// F is not finite.
func (l *learner) step(damping float64) error {
	for {
		if err := l.x.Task.Precision.Apply(l.probe); err != nil {
			return err
		}
		if err := l.probe.Step(damping, l.u.c.Decay, l.u.c.Turn); err != nil {
			return err
		}
		finite := true
		for k := range l.blocks {
			finite = finite && array.IsFinite(l.probe.Energy(k))
		}
		if finite || !l.x.Task.Precision.BackOff() {
			return nil
		}
	}
}

// move takes the step that the probe has computed. Blocks whose step is not finite stay
// as they are.
func (l *learner) move() (skipped bool, err error) {
	l.u.moved = true
	if err = l.probe.Move(); errors.Is(err, graph.ErrNotFinite) {
		skipped, err = true, nil
	}
	for _, m := range l.multiples {
		if m != nil {
			m.take()
		}
	}
	l.u.Bound()
	return skipped, err
}

func (l *learner) Learn(in *learn.Input) (*record.MetaStats, error) {
	m := &record.MetaStats{}
	var wsd float64
	var err error
	if m.LambdaFSD, wsd, err = l.x.Settings.Lambdas(in.Step); err != nil {
		return nil, err
	}
	tilde, err := in.Tilde(0)
	if err != nil {
		return nil, err
	}
	if err := l.draw(tilde); err != nil {
		return nil, err
	}
	m.LambdaFSD /= l.u.found[0]
	m.LambdaWSD = l.u.damping.factor(in.Scale) * wsd / l.u.found[0]
	damping := m.LambdaWSD / m.LambdaFSD
	if err := l.step(damping); err != nil {
		return nil, err
	}
	l.u.damping.see(l.probe.OutputCurvature())
	if l.u.c.Clip > 0 && l.u.nu == 1 {
		l.u.damping.fall(l.u.c.DampingDecay)
	}
	if m.Skipped, err = l.move(); err != nil {
		return nil, err
	}
	return m, l.measure(m, damping)
}

func (l *learner) State() []checkpoint.NamedTensor {
	all := []checkpoint.NamedTensor{{Name: "probes", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.u.probes))}}
	all = append(all, l.u.damping.state()...)
	if l.u.c.LR == 0 {
		all = append(all, checkpoint.NamedTensor{Name: "rate found", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.u.found))})
	}
	for i, b := range l.blocks {
		for _, a := range b.State() {
			all = append(all, checkpoint.NamedTensor{Name: l.u.blocks[i].Name + "/" + a.Name, Value: a.Value})
		}
	}
	return all
}
