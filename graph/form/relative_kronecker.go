package form

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// relativeKronecker learns the factors A(I+Y_A) and B(I+Y_B) by the gradients with
// respect to Y_A and Y_B at 0. S is a constant: see kroneckerLearner.balance.
type relativeKronecker struct{}

func (relativeKronecker) Phi(rows, cols int) []Factor {
	return []Factor{{"Y_A", tensor.Shape{cols, cols}}, {"Y_B", tensor.Shape{rows, rows}}}
}

func (relativeKronecker) Constants(rows, cols int) []Factor { return Kronecker{}.Factors(rows, cols) }

func (relativeKronecker) Lookahead(constants, phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	return apoops.PreconditionRelative(constants[0], constants[1], constants[2], g, phi[0], phi[1])
}

func (relativeKronecker) Energies(dphi gorgonia.Nodes, epsilon *gorgonia.Node) (gorgonia.Nodes, error) {
	e, err := apoops.RelativeEnergy(dphi[0], dphi[1], epsilon)
	return gorgonia.Nodes{e}, err
}

func (relativeKronecker) Start(p Preconditioner) (Learner, error) { return startLearner(p) }

// kroneckerLearner learns A and B.
type kroneckerLearner[T apoops.Float] struct {
	p    *kronecker[T]
	zero []*tensor.Dense // Y_A and Y_B
	v    averages[T]     // of the energies, by row and then by column
	a, b relativeFactor[T]

	sa, sb []T // S as an outer product
}

func newKroneckerLearner[T apoops.Float](p *kronecker[T]) *kroneckerLearner[T] {
	return &kroneckerLearner[T]{
		p: p, zero: newFactors[T](relativeKronecker{}.Phi(p.rows, p.cols)).dense, v: newAverages[T](p.rows + p.cols),
		a: newRelativeFactor[T](p.cols), b: newRelativeFactor[T](p.rows), sa: make([]T, p.cols), sb: make([]T, p.rows),
	}
}

func (l *kroneckerLearner[T]) Phi() []*tensor.Dense { return l.zero }

func (l *kroneckerLearner[T]) Constants() []*tensor.Dense { return l.p.dense }

// balanceEvery is the number of steps from one balance to the next.
const balanceEvery = 10

// Step moves B ← B - Size·B·Ê_B and A ← A - Size·A·Ê_A, see relativeFactor.step.
func (l *kroneckerLearner[T]) Step(s Step) {
	correct := l.v.add(apoops.Elements[T](s.Energies[0]), s.Decay, s.Number)
	rows, cols := l.v[:l.p.rows], l.v[l.p.rows:]
	l.b.step(l.p.array(1), apoops.Elements[T](s.DPhi[1]), rows, correct, s.Epsilon, s.Size)
	l.a.step(l.p.array(0), apoops.Elements[T](s.DPhi[0]), cols, correct, s.Epsilon, s.Size)
	if math.Mod(s.Number, balanceEvery) == 0 {
		l.balance()
	}
}

func (l *kroneckerLearner[T]) Change(y []*tensor.Dense, t float64) {
	l.a.move(l.p.array(0), apoops.Elements[T](y[0]), T(t))
	l.b.move(l.p.array(1), apoops.Elements[T](y[1]), T(t))
}

// balance moves the lengths of the columns of A and B into S, which leaves P as
// it is. An S that is an outer product stays one.
func (l *kroneckerLearner[T]) balance() {
	rows, cols, s := l.p.rows, l.p.cols, l.p.array(2)
	outer := apoops.Outer(s, rows, cols, l.sb, l.sa)
	a, b := normalise(l.p.array(0), cols), normalise(l.p.array(1), rows)
	for i, x := range b {
		for j, y := range a {
			if outer {
				s[i*cols+j] = (l.sb[i] * T(x)) * (l.sa[j] * T(y))
			} else {
				s[i*cols+j] *= T(x * y)
			}
		}
	}
}

// normalise divides the columns of an n×n matrix by their lengths and returns
// these; columns of length 0 stay.
func normalise[T apoops.Float](a []T, n int) []float64 {
	length := make([]float64, n)
	for i := range n {
		for j, v := range a[i*n : (i+1)*n] {
			length[j] += float64(v) * float64(v)
		}
	}
	for j, l := range length {
		length[j] = math.Sqrt(l)
		if l == 0 {
			length[j] = 1
		}
	}
	for i := range n {
		row := a[i*n : (i+1)*n]
		for j := range row {
			row[j] /= T(length[j])
		}
	}
	return length
}

func (l *kroneckerLearner[T]) State() []Array {
	return []Array{{"v", vector(l.v)}, {"power A", vector(l.a.x)}, {"power B", vector(l.b.x)}}
}
