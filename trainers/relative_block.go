package trainers

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// relativeBlock learns one block's factors.
type relativeBlock[T apoops.Float] struct {
	*precondBlock[T]
	phi    []*tensor.Dense // zeros for Y_A and Y_B, or S
	v      []T             // running averages, by row and then by column; by element of S
	powerA relativeFactor[T]
	powerB relativeFactor[T]
}

func newRelativeBlock[T apoops.Float](b *precondBlock[T]) *relativeBlock[T] {
	r := &relativeBlock[T]{precondBlock: b}
	if b.Form != graph.Kronecker {
		r.phi = []*tensor.Dense{b.factors[0].Value}
		r.v = make([]T, b.factors[0].Value.DataSize())
		return r
	}
	for _, f := range (graph.RelativeLookahead{}).Phi(b.Block) {
		r.phi = append(r.phi, tensor.New(tensor.WithShape(f.Shape...), tensor.WithBacking(make([]T, f.Shape.TotalSize()))))
	}
	r.v = make([]T, b.Rows+b.Cols)
	r.powerA, r.powerB = newRelativeFactor[T](b.Cols), newRelativeFactor[T](b.Rows)
	return r
}

// balanceEvery is the number of meta-steps from one balance to the next.
const balanceEvery = 10

// learn takes meta-step t, from 1, of a Kronecker block with dA = ε·E_A, dB = ε·E_B
// and the sums of p. It overwrites dA and dB.
func (b *relativeBlock[T]) learn(c RelativeConfig, t, epsilon float64, da, db, p []T) {
	correct := b.average(c, t, p)
	rows, cols := b.v[:b.Rows], b.v[b.Rows:]
	b.powerB.step(b.factor(1), db, rows, correct, epsilon, c.Step)
	b.powerA.step(b.factor(0), da, cols, correct, epsilon, c.Step)
	if math.Mod(t, balanceEvery) == 0 {
		b.balance()
	}
}

// average takes p into the running averages and returns their bias correction.
func (b *relativeBlock[T]) average(c RelativeConfig, t float64, p []T) float64 {
	decay, keep := T(c.Decay), T(1-c.Decay)
	for i, x := range p {
		b.v[i] = decay*b.v[i] + keep*x
	}
	return 1 / (1 - math.Pow(c.Decay, t))
}

// learnDiagonal takes meta-step t of a block with P = S² element by element, or
// one s² for all. ds is ε·∂(Q/ε)/∂S.
func (b *relativeBlock[T]) learnDiagonal(c RelativeConfig, t, epsilon float64, ds []T) {
	s, g := b.factor(0), apoops.Elements[T](b.scaled)
	p, e := make([]T, len(s)), make([]T, len(s))
	for i := range s {
		e[i] = s[i] * ds[i] / T(epsilon) // ∂/∂log S = 2U∘R
	}
	for i, x := range g {
		k := i % len(s)
		p[k] += 2 * s[k] * s[k] * x * x
	}
	for i := range p {
		p[i] += T(math.Abs(float64(p[i]+e[i]))) / 2
	}
	correct := T(b.average(c, t, p))
	for i := range s {
		if v := b.v[i] * correct; v > 0 {
			s[i] *= T(1 - c.Step*min(max(float64(e[i]/v), -1/margin), 1/margin))
		}
	}
}

// balance moves the lengths of the columns of A and B into S, which leaves P as
// it is.
func (b *relativeBlock[T]) balance() {
	a, s := normalise(b.factor(0), b.Cols), b.factor(2)
	r := normalise(b.factor(1), b.Rows)
	for i, x := range r {
		for j, y := range a {
			s[i*b.Cols+j] *= T(x * y)
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

func (b *relativeBlock[T]) state() []NamedTensor {
	vector := func(name string, x []T) NamedTensor {
		return NamedTensor{Name: b.Name + "/" + name, Value: tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))}
	}
	all := []NamedTensor{vector("v", b.v)}
	if b.Form == graph.Kronecker {
		all = append(all, vector("power A", b.powerA.x), vector("power B", b.powerB.x))
	}
	return all
}

// relativeFactor moves one factor, F ← F - a·F·Ê.
type relativeFactor[T apoops.Float] struct {
	n     int
	x, y  []T // of the power iteration; x goes on from step to step
	moved []T // F·Ê

	// the step in work
	e, v  []T
	scale T
	body  func(lo, hi int)
}

func newRelativeFactor[T apoops.Float](n int) relativeFactor[T] {
	f := relativeFactor[T]{n: n, x: make([]T, n), y: make([]T, n), moved: make([]T, n*n)}
	for i := range f.x {
		f.x[i] = T(1 / math.Sqrt(float64(n)))
	}
	return f
}

// margin is how far below 1 the norm of Ê is kept.
const margin = 1.2

// step scales ε·E to Ê in place and moves the factor.
func (f *relativeFactor[T]) step(factor, e, v []T, correct, epsilon, step float64) {
	if f.body == nil {
		f.body = f.scaleRows
	}
	f.e, f.v, f.scale = e, v, T(2/(epsilon*correct))
	par.For(f.n, max(1, par.Grain/f.n), f.body)
	f.e, f.v = nil, nil
	if norm := f.spectralNorm(e); norm > 1/margin {
		step /= norm * margin
	}
	n := f.n
	blas.Gemm(false, false, n, n, n, T(-step), factor, n, e, n, 0, f.moved, n)
	par.For(len(factor), par.Grain, func(lo, hi int) { blas.Axpy(1, f.moved[lo:hi], factor[lo:hi]) })
}

// scaleRows makes Ê of ε·E: 2E_ij/(v_i+v_j), 0 where both are 0.
func (f *relativeFactor[T]) scaleRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		row := f.e[i*f.n : (i+1)*f.n]
		for j, e := range row {
			if s := f.v[i] + f.v[j]; s > 0 {
				row[j] = e * f.scale / s
			} else {
				row[j] = 0
			}
		}
	}
}

// spectralNorm estimates ‖e‖₂ by two power iterations that go on from the last
// step's vector.
func (f *relativeFactor[T]) spectralNorm(e []T) (norm float64) {
	n := f.n
	for range 2 {
		blas.Gemm(false, false, n, 1, n, 1, e, n, f.x, 1, 0, f.y, 1)
		blas.Gemm(true, false, n, 1, n, 1, e, n, f.y, 1, 0, f.x, 1)
		norm = math.Sqrt(blas.Dot(f.x, f.x)) // ‖EᵀEx‖ of a unit x
		if !(norm > 0) || math.IsInf(norm, 0) {
			for i := range f.x {
				f.x[i] = T(1 / math.Sqrt(float64(n)))
			}
			return 0
		}
		blas.Scal(T(1/norm), f.x)
	}
	return math.Sqrt(norm)
}
