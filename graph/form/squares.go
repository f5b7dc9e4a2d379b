package form

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// squares is a P of the squares of one factor S, element by element, or of one s
// for all elements.
type squares[T apoops.Float] struct{ factors[T] }

func startSquares(f Form, s Setup) (Preconditioner, error) {
	start, err := apoops.Choose(s.Dtype, newSquares[float32], newSquares[float64])
	if err != nil {
		return nil, err
	}
	return start(f.Factors(s.Rows, s.Cols), s.Rate), nil
}

func newSquares[T apoops.Float](list []Factor, rate float64) Preconditioner {
	p := &squares[T]{newFactors[T](list)}
	p.fill(0, T(math.Sqrt(rate)))
	return p
}

func (p *squares[T]) Multiply(dst, g *tensor.Dense) {
	s, out := p.array(0), apoops.Elements[T](dst)
	for i, v := range apoops.Elements[T](g) {
		k := i % len(s)
		out[i] = s[k] * s[k] * v
	}
}

func (p *squares[T]) Bound(norms []float64) float64 { return squaredBound(norms) }

func (p *squares[T]) learner() Learner {
	return &squaresLearner[T]{p: p, v: newAverages[T](len(p.array(0)))}
}

// relativeSquares learns log S by ∂Q/∂S.
type relativeSquares struct{ f Form }

func (r relativeSquares) Phi(rows, cols int) []Factor { return r.f.Factors(rows, cols) }

func (relativeSquares) Constants(_, _ int) []Factor { return nil }

func (r relativeSquares) Lookahead(_, phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	return r.f.Lookahead(phi, g)
}

func (relativeSquares) Energies(gorgonia.Nodes, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, nil
}

func (relativeSquares) Start(p Preconditioner) (Learner, error) { return startLearner(p) }

type squaresLearner[T apoops.Float] struct {
	p *squares[T]
	v averages[T] // by element of S
}

func (l *squaresLearner[T]) Phi() []*tensor.Dense { return l.p.dense }

func (l *squaresLearner[T]) Constants() []*tensor.Dense { return nil }

// Step moves log S by the curvature-scaled gradient: with U = S²∘G, R = ∂(Q/ε)/∂U
// and e = ∂(Q/ε)/∂log S = 2U∘R, v averages p + |p+e|/2 for p = 2S²∘G², and
// S ← S∘(1 - Size·e/v), e/v kept within ±1/1.2.
func (l *squaresLearner[T]) Step(step Step) {
	s, g, ds := l.p.array(0), apoops.Elements[T](step.Gradient), apoops.Elements[T](step.DPhi[0])
	p, e := make([]T, len(s)), make([]T, len(s))
	for i := range s {
		e[i] = s[i] * ds[i] / T(step.Epsilon)
	}
	for i, x := range g {
		k := i % len(s)
		p[k] += 2 * s[k] * s[k] * x * x
	}
	for i := range p {
		p[i] += T(math.Abs(float64(p[i]+e[i]))) / 2
	}
	correct := T(l.v.add(p, step.Decay, step.Number))
	for i := range s {
		if v := l.v[i] * correct; v > 0 {
			s[i] *= T(1 - step.Size*min(max(float64(e[i]/v), -1/margin), 1/margin))
		}
	}
}

func (l *squaresLearner[T]) Change(y []*tensor.Dense, t float64) {
	s := l.p.array(0)
	for i, x := range apoops.Elements[T](y[0]) {
		s[i] += T(t) * x
	}
}

func (l *squaresLearner[T]) State() []Array { return []Array{{"v", vector(l.v)}} }
