package form

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// probedLowRank learns both sides from rows, see apoops.LowRankStep.
type probedLowRank struct{ f LowRank }

func (probedLowRank) Rows() bool { return true }

func (l probedLowRank) Phi(rows, cols int) []Factor {
	b, a := l.f.sides(rows, cols)
	return []Factor{{"phi_B", tensor.Shape{b.Len()}}, {"phi_A", tensor.Shape{a.Len()}}}
}

// State are the running averages of x² and z² and those of the sides.
func (l probedLowRank) State(rows, cols int) []Factor {
	b, a := l.f.sides(rows, cols)
	return []Factor{{"moments", tensor.Shape{2}}, {"average_B", tensor.Shape{b.AverageLen()}}, {"average_A", tensor.Shape{a.AverageLen()}}}
}

func (l probedLowRank) Step(in ProbeInput) (ProbeStep, error) {
	b, _ := l.f.sides(1, 1)
	next, err := apoops.LowRankStep(apoops.LowRank{
		X: in.X, Z: in.Z, PhiB: in.Phi[0], PhiA: in.Phi[1], Moments: in.State[0], AverageB: in.State[1], AverageA: in.State[2],
		Hyper: in.Hyper, Rank: b.Rank,
	})
	return ProbeStep{
		Phi: gorgonia.Nodes{next.PhiB, next.PhiA}, State: gorgonia.Nodes{next.Moments, next.AverageB, next.AverageA},
		Energy: next.Energy, Measures: next.Measures,
	}, err
}

func (probedLowRank) Start(p Preconditioner) (ProbeLearner, error) { return startProbed(p) }

// lowRankLearner keeps the arrays.
type lowRankLearner[T apoops.Float] struct {
	*lowRank[T]
	state []Array
}

func newLowRankLearner[T apoops.Float](p *lowRank[T]) ProbeLearner {
	average := func(side int) *tensor.Dense { return vector(make([]T, p.p[side].AverageLen())) }
	return &lowRankLearner[T]{p, []Array{{"moments", vector(make([]T, 2))}, {"average_B", average(0)}, {"average_A", average(1)}}}
}

func (l *lowRankLearner[T]) Phi() []*tensor.Dense {
	return []*tensor.Dense{vector(l.phi[0]), vector(l.phi[1])}
}

func (l *lowRankLearner[T]) State() []Array { return l.state }

// Measures are the subspaces' shares of the rows' energy, the discrepancy of the update of
// a whitened probe and the traces, see apoops.LowRankMeasures.
func (l *lowRankLearner[T]) Measures(v gorgonia.Value) ([]Measure, error) {
	m, err := apoops.ReadLowRankMeasures(v)
	return []Measure{
		{"share_B", m.ShareB}, {"share_A", m.ShareA}, {"discrepancy", m.Discrepancy}, {"trace_B", m.TraceB}, {"trace_A", m.TraceA},
	}, err
}
