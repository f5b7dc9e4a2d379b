package form

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// probedSquares is S² = 1/(v + d) with v the running average of the diagonal of F, or of
// its mean: in these forms the minimiser itself can be computed.
type probedSquares struct{ f Form }

func (probedSquares) Rows() bool { return false }

func (l probedSquares) Phi(rows, cols int) []Factor { return l.f.Factors(rows, cols) }

// State are the averages and the weight of what they have seen.
func (l probedSquares) State(rows, cols int) []Factor {
	return []Factor{{"v", l.f.Factors(rows, cols)[0].Shape}, {"weight", tensor.Shape{1}}}
}

func (probedSquares) Step(in ProbeInput) (ProbeStep, error) {
	next, err := apoops.DiagonalStep(in.Squares, in.State[0], in.State[1], in.Hyper)
	return ProbeStep{Phi: gorgonia.Nodes{next.S}, State: gorgonia.Nodes{next.Average, next.Weight}, Energy: next.Energy}, err
}

func (probedSquares) Start(p Preconditioner) (ProbeLearner, error) { return startProbed(p) }

func (p *squares[T]) probed() ProbeLearner {
	return &squaresProbes[T]{p, zeros[T](p.dense[0].Shape()), zeros[T](tensor.Shape{1})}
}

// squaresProbes keeps the arrays.
type squaresProbes[T apoops.Float] struct {
	*squares[T]
	v, weight *tensor.Dense
}

func (l *squaresProbes[T]) Phi() []*tensor.Dense { return l.dense }

func (l *squaresProbes[T]) State() []Array { return []Array{{"v", l.v}, {"weight", l.weight}} }

func (l *squaresProbes[T]) Restart(rate float64) { l.fill(0, T(math.Sqrt(rate))) }

func (l *squaresProbes[T]) Measures(gorgonia.Value) ([]Measure, error) { return nil, nil }

func (l *squaresProbes[T]) Spectrum() (least, largest float64, err error) {
	least, largest = math.Inf(1), 0
	for _, s := range l.array(0) {
		p := float64(s) * float64(s)
		least, largest = min(least, p), max(largest, p)
	}
	return least, largest, nil
}
