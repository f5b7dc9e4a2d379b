package apoops

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// The kernels of LowRankStep. Where one has an index i, 0 stands for the inputs' side B
// and 1 for the outputs' side A.

// rowEnergy is mean(‖x‖²·‖z‖²)/(in·out) of rows x and z.
type rowEnergy[T Float] struct{ noGradient[T] }

func (k *rowEnergy[T]) name() string     { return "rowEnergy" }
func (k *rowEnergy[T]) clone() kernel[T] { return &rowEnergy[T]{} }

func (k *rowEnergy[T]) infer([]tensor.Shape) (tensor.Shape, error) { return tensor.ScalarShape(), nil }

func (k *rowEnergy[T]) run(a *args[T]) error {
	n, in, out := a.shapes[0][0], a.shapes[0][1], a.shapes[1][1]
	var sum float64
	for i := range n {
		x, z := a.in[0][i*in:(i+1)*in], a.in[1][i*out:(i+1)*out]
		sum += blas.Dot(x, x) * blas.Dot(z, z)
	}
	a.out[0] = T(sum / float64(n) / float64(in) / float64(out))
	return nil
}

// rowMoments averages the means of x² and z² over steps; its operands are x, z and the
// averages so far. The weight that the start at 0 takes is the same in both.
type rowMoments[T Float] struct {
	noGradient[T]
	sum blas.Inner[T]
}

// momentDecay is that of the averages.
const momentDecay = 0.95

// leastMoment is used for smaller ones: a layer may be dead.
const leastMoment = 1e-30

func (k *rowMoments[T]) name() string     { return "rowMoments" }
func (k *rowMoments[T]) clone() kernel[T] { return &rowMoments[T]{} }

func (k *rowMoments[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[2].Clone(), vectorOf(in[2], 2, "the moments")
}

func (k *rowMoments[T]) run(a *args[T]) error {
	for i, x := range a.in[:2] {
		mean := k.sum.Product(x, x) / float64(len(x))
		a.out[i] = T(momentDecay*float64(a.in[2][i]) + (1-momentDecay)*mean)
	}
	return nil
}

// factoredDamping is r_a = π√d and r_s = √d/π, π² the ratio of the moments; its operands
// are these and the numbers of LowRank.Hyper.
type factoredDamping[T Float] struct{ noGradient[T] }

func (k *factoredDamping[T]) name() string     { return "factoredDamping" }
func (k *factoredDamping[T]) clone() kernel[T] { return &factoredDamping[T]{} }

func (k *factoredDamping[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{2}, vectorOf(in[1], 3, "the step's numbers")
}

func (k *factoredDamping[T]) run(a *args[T]) error {
	ratio := math.Sqrt(max(float64(a.in[0][0]), leastMoment) / max(float64(a.in[0][1]), leastMoment))
	root := math.Sqrt(float64(a.in[1][0]))
	a.out[0], a.out[1] = T(ratio*root), T(root/ratio)
	return nil
}

// projectRows is X·V; its operands are X and φ.
type projectRows[T Float] struct {
	noGradient[T]
	side lowrank.Side
	mul  lowrank.Multiplier[T]
}

func (k *projectRows[T]) name() string     { return "projectRows" }
func (k *projectRows[T]) clone() kernel[T] { return &projectRows[T]{side: k.side} }

func (k *projectRows[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][0], k.side.Core()}, vectorOf(in[1], k.side.Len(), "φ")
}

func (k *projectRows[T]) run(a *args[T]) error {
	k.mul.Project(a.out, a.in[0], a.shapes[0][0], lowrank.View(k.side, a.in[1]))
	return nil
}

// rowWeights is (xᵀPx + ρ·tr P)/m for each row x; its operands are X, X·V, φ and the
// two dampings.
type rowWeights[T Float] struct {
	noGradient[T]
	side lowrank.Side
	i    int
	mul  lowrank.Multiplier[T]
}

func (k *rowWeights[T]) name() string     { return "rowWeights" }
func (k *rowWeights[T]) clone() kernel[T] { return &rowWeights[T]{side: k.side, i: k.i} }

func (k *rowWeights[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][0]}, vectorOf(in[2], k.side.Len(), "φ")
}

func (k *rowWeights[T]) run(a *args[T]) error {
	p := lowrank.View(k.side, a.in[2])
	k.mul.Quadratic(a.out, a.in[0], a.in[1], len(a.out), p)
	m := float64(p.Size)
	damping := noise(p, a.in[3][k.i])
	for i, w := range a.out {
		a.out[i] = T(float64(w)/m + damping)
	}
	return nil
}

// noise is ρ·tr(P)/m, the part of a weight that is not its row's.
func noise[T Float](p lowrank.Matrix[T], rho T) float64 {
	return float64(rho) * p.Trace() / float64(p.Size)
}

// lowRankStep is the next φ of a side and after it the next averages; its operands are X,
// X·V, the weights of the rows by the other side, φ, the averages, the two dampings and the
// numbers of LowRank.Hyper.
type lowRankStep[T Float] struct {
	noGradient[T]
	side    lowrank.Side
	i       int
	learner lowrank.Learner[T]
}

func (k *lowRankStep[T]) name() string     { return "lowRankStep" }
func (k *lowRankStep[T]) clone() kernel[T] { return &lowRankStep[T]{side: k.side, i: k.i} }

func (k *lowRankStep[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{k.side.Len() + k.side.AverageLen()}, vectorOf(in[4], k.side.AverageLen(), "the averages")
}

func (k *lowRankStep[T]) run(a *args[T]) error {
	x, xv, w, phi, average, hyper := a.in[0], a.in[1], a.in[2], a.in[3], a.in[4], a.in[6]
	by := lowrank.Step{Decay: float64(hyper[1]), Oja: float64(hyper[2]), Damping: float64(a.in[5][k.i]) * meanOf(w)}
	n := k.side.Len()
	next, after := lowrank.View(k.side, a.out[:n]), lowrank.ViewAverage(k.side, a.out[n:])
	k.learner.Step(next, after, lowrank.View(k.side, phi), lowrank.ViewAverage(k.side, average), x, xv, w, len(w), by)
	return nil
}

// partOf is φ in the result of lowRankStep, or the averages.
type partOf[T Float] struct {
	noGradient[T]
	side     lowrank.Side
	averages bool
}

func (k *partOf[T]) name() string     { return "partOf" }
func (k *partOf[T]) clone() kernel[T] { return &partOf[T]{side: k.side, averages: k.averages} }

func (k *partOf[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	if k.averages {
		return tensor.Shape{k.side.AverageLen()}, nil
	}
	return tensor.Shape{k.side.Len()}, nil
}

func (k *partOf[T]) run(a *args[T]) error {
	from := a.in[0]
	if k.averages {
		from = from[k.side.Len():]
	}
	copy(a.out, from)
	return nil
}

func meanOf[T Float](x []T) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}

// lowRankMeasure are the LowRankMeasures; its operands are the results of the two steps,
// the weights v and w, φ_B, φ_A and the two dampings.
type lowRankMeasure[T Float] struct {
	noGradient[T]
	b, a lowrank.Side
	of   [2]*lowRankStep[T]
}

func (k *lowRankMeasure[T]) name() string { return "lowRankMeasure" }
func (k *lowRankMeasure[T]) clone() kernel[T] {
	return &lowRankMeasure[T]{b: k.b, a: k.a, of: k.of}
}

func (k *lowRankMeasure[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{measures}, nil
}

func (k *lowRankMeasure[T]) run(a *args[T]) error {
	for i, step := range k.of {
		if s := step.learner.Share(); s.Whole > 0 {
			a.out[i] = T(s.Inside / s.Whole)
		} else {
			a.out[i] = 1
		}
	}
	pb, pa := lowrank.View(k.b, a.in[4]), lowrank.View(k.a, a.in[5])
	nv, nw := noise(pb, a.in[6][0]), noise(pa, a.in[6][1])
	var sum float64
	for i, v := range a.in[2] {
		sum += max(float64(v)-nv, 0) * max(float64(a.in[3][i])-nw, 0)
	}
	a.out[2] = T(sum / float64(len(a.in[2])) / 2)
	a.out[3], a.out[4] = T(pb.Trace()), T(pa.Trace())
	return nil
}

// gauge divides the P of side A by its mean eigenvalue; its operand is the result of
// lowRankStep. P_B has the scale of P already: each side is the minimiser given the other
// one of before, and were P_A's scale of 1/tr(P_B) multiplied to it, the product of both
// would come back as its inverse, step by step. At the fixed point the mean is 1 by itself.
type gauge[T Float] struct {
	noGradient[T]
	side lowrank.Side
}

func (k *gauge[T]) name() string     { return "gauge" }
func (k *gauge[T]) clone() kernel[T] { return &gauge[T]{side: k.side} }

func (k *gauge[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{k.side.Len()}, nil
}

func (k *gauge[T]) run(a *args[T]) error {
	copy(a.out, a.in[0])
	p := lowrank.View(k.side, a.out)
	p.Scale(T(float64(k.side.Size) / p.Trace()))
	return nil
}
