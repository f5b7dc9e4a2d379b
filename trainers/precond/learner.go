package precond

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// learner takes meta-steps towards the minimiser of Theorem 1's objective. Each draws a
// probe of the outputs on B' (graph.Probe) and moves the factors of each block by what
// the probe shows of its curvature.
type learner struct {
	x      *learn.Context
	u      *core
	noise  *apoops.Random
	probe  *graph.Probe
	blocks []blockLearner
}

// blockLearner learns the P of one block from its rows or from its diagonal; the other
// is nil.
type blockLearner struct {
	rows     rowLearner
	diagonal diagonalLearner
}

// rowLearner is sides of any dtype.
type rowLearner interface {
	begin(x, z *tensor.Dense, damping float64) bool
	meta(x, z *tensor.Dense, by metaStep) (measured, bool)
	// scalar is meta where there are no rows.
	scalar(h *tensor.Dense, by metaStep) (measured, bool)
	norms() (a, b, condition float64)
	state() []checkpoint.NamedTensor
}

// diagonalLearner is diagonal of any dtype.
type diagonalLearner interface {
	meta(h *tensor.Dense, by metaStep) (measured, bool)
	norm() (s, condition float64)
	state() []checkpoint.NamedTensor
}

// metaStep is the length of a meta-step and the damping d = λ_WSD/λ_FSD.
type metaStep struct{ size, turn, damping float64 }

// measured is what a meta-step saw of a block's P, before it moved.
type measured struct {
	size             float64 // number of weights
	trace            float64 // tr P
	discrepancy      float64 // tr(PF)/size
	energyB, energyA float64 // see record.PrecondNorms
}

// probeSeed makes the seed of probes another than those of dropout and drawn targets.
const probeSeed = 0x9a0be

func newLearner(x *learn.Context) (learn.Learner, error) {
	own, ok := x.Update.(interface{ shared() *core })
	if !ok {
		return newRelativeLearner(x) // the fallback
	}
	u := own.shared()
	l := &learner{x: x, u: u, noise: apoops.NewRandom(x.Task.Seed ^ probeSeed)}
	start, err := apoops.Choose(x.Task.Params[0].Value.Dtype(), newBlockLearner[float32], newBlockLearner[float64])
	if err != nil {
		return nil, errors.WithMessagef(err, "trainers: %s", u.c.Name())
	}
	for _, b := range u.blocks {
		k, err := start(b, &u.c)
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: %s: block %q", u.c.Name(), b.Name)
		}
		l.blocks = append(l.blocks, k)
	}
	u.norms = l.norms
	if u.c.WarmUp > 0 {
		u.warmUp = l.warmUp
	}
	return l, nil
}

func newBlockLearner[T apoops.Float](b *block, c *Config) (k blockLearner, err error) {
	switch learned := b.Form.Probed(); {
	case learned != nil && learned.Rows():
		k.rows = newSides[T](b, c.Memory)
	case learned != nil && b.p.Factors()[0].DataSize() == b.Rows*b.Cols:
		k.diagonal = newDiagonal[T](b, c.Memory)
	default:
		err = errors.Errorf("a %s preconditioner is not learned from rows", b.Form.Name())
	}
	return k, err
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

func (l *learner) Describe() (name string, settings any) { return "rows", struct{}{} }

func (l *learner) Prepare(batch graph.Batch, tilde []*tensor.Dense) error {
	if l.probe != nil {
		return nil
	}
	example, err := l.part(graph.Batch{X: tilde})
	if err != nil {
		return err
	}
	c := graph.ProbeConfig{
		Source: l.x.Task.Source, Params: l.x.Task.Model, Batch: example, Positions: l.u.c.Positions, Random: l.x.Task.Random, Noise: l.noise,
	}
	for _, b := range l.u.blocks {
		c.Blocks = append(c.Blocks, b.Block)
	}
	if l.probe, err = graph.NewProbe(c); err != nil {
		return errors.WithMessagef(err, "trainers: %s", l.u.c.Name())
	}
	for i, b := range l.u.blocks {
		b.rowless = l.blocks[i].rows != nil && !l.probe.HasRows(i)
		if l.blocks[i].rows == nil && l.probe.HasRows(i) {
			l.probe = nil
			return errors.Errorf("trainers: %s: block %q: the diagonal of a weight matrix is not learned", l.u.c.Name(), b.Name)
		}
	}
	return nil
}

// part is B' of a batch: a user's graph takes batches of one size alone.
func (l *learner) part(batch graph.Batch) (graph.Batch, error) {
	if _, whole := l.x.Task.Source.(interface{ Example() graph.Batch }); whole {
		return batch, nil
	}
	return batch.First(max(1, int(math.Round(l.u.c.Rows*float64(batch.Len())))))
}

func (l *learner) Discard() { l.probe = nil }

// warmUp starts P from what the first mini-batch shows.
func (l *learner) warmUp(in rule.Input) error {
	_, damping, err := l.u.damping(in.T - 1)
	if err != nil {
		return err
	}
	c := &l.u.c
	by := metaStep{size: c.WarmUpStep, turn: c.Turn, damping: damping}
	for i := range c.WarmUp {
		if err := l.draw(in.Batch, in.Batch.X); err != nil {
			return err
		}
		if i == 0 {
			for k, b := range l.blocks {
				if b.rows == nil || !l.probe.HasRows(k) {
					continue
				}
				x, z, err := l.probe.Rows(k)
				if err != nil {
					return err
				}
				b.rows.begin(x, z, damping)
			}
		}
		if _, err := l.move(by); err != nil {
			return err
		}
	}
	return nil
}

// draw runs the probe with new directions.
func (l *learner) draw(batch graph.Batch, tilde []*tensor.Dense) error {
	if err := l.Prepare(batch, tilde); err != nil {
		return err
	}
	l.noise.SetStep(int64(l.u.probes[0]))
	l.u.probes[0]++
	if err := l.probe.Feed(graph.Batch{X: tilde}); err != nil {
		return err
	}
	return l.probe.Run()
}

// move takes a meta-step of each block. A block whose probe is not finite stays.
func (l *learner) move(by metaStep) (skipped bool, err error) {
	for i, b := range l.blocks {
		m, ok, err := l.moveBlock(i, b, by)
		if err != nil {
			return skipped, err
		}
		l.u.seen[i] = m
		skipped = skipped || !ok
	}
	l.u.moved = true
	return skipped, nil
}

func (l *learner) moveBlock(i int, b blockLearner, by metaStep) (m measured, ok bool, err error) {
	if l.probe.HasRows(i) {
		x, z, err := l.probe.Rows(i)
		if err == nil {
			m, ok = b.rows.meta(x, z, by)
		}
		return m, ok, err
	}
	h, err := l.probe.Squares(i)
	switch {
	case err != nil:
	case b.rows != nil:
		m, ok = b.rows.scalar(h, by)
	default:
		m, ok = b.diagonal.meta(h, by)
	}
	return m, ok, err
}

func (l *learner) Learn(in *learn.Input) (*record.MetaStats, error) {
	fsd, wsd, err := l.x.Settings.Lambdas(in.Step)
	if err != nil {
		return nil, err
	}
	tilde, err := in.Tilde(0)
	if err != nil {
		return nil, err
	}
	if err := l.draw(in.Batch, tilde); err != nil {
		return nil, err
	}
	m := &record.MetaStats{LambdaFSD: fsd, LambdaWSD: wsd}
	m.Skipped, err = l.move(metaStep{size: l.u.c.step(in.Step), turn: l.u.c.Turn, damping: wsd / fsd})
	for _, s := range l.u.seen {
		m.Loss -= s.size
		m.FSD += s.discrepancy * s.size / fsd / 2
		m.WSD += s.trace / fsd / 2
	}
	m.Q = m.Loss + fsd*m.FSD + wsd*m.WSD
	return m, err
}

// norms are what the recorder shows of each block.
func (l *learner) norms() []record.PrecondNorms {
	all := make([]record.PrecondNorms, len(l.blocks))
	for i, b := range l.blocks {
		seen := l.u.seen[i]
		m := &record.PrecondMeasures{EnergyA: seen.energyA, EnergyB: seen.energyB, Trace: seen.trace, Discrepancy: seen.discrepancy / 2}
		all[i] = record.PrecondNorms{Block: l.u.blocks[i].Name, Measures: m}
		if b.rows != nil {
			all[i].A, all[i].B, m.Condition = b.rows.norms()
		} else {
			all[i].S, m.Condition = b.diagonal.norm()
		}
	}
	return all
}

func (l *learner) State() []checkpoint.NamedTensor {
	all := []checkpoint.NamedTensor{{Name: "probes", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.u.probes))}}
	for _, b := range l.blocks {
		if b.rows != nil {
			all = append(all, b.rows.state()...)
		} else {
			all = append(all, b.diagonal.state()...)
		}
	}
	return all
}
