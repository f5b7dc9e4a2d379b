package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// PreconditionFull multiplies a gradient of n elements by a full n×n matrix P
// (Eq. 7): u = P·vec(G), in the shape of G, vec in row-major order. G is a
// constant; dP = vec(dU)·vec(G)ᵀ.
func PreconditionFull(p, g *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&preconditionFull[float32]{}, &preconditionFull[float64]{}, p, g)
}

// PreconditionDiagonal is U = S²∘G, what is left of Eq. 10 for a parameter
// without matrix form. S has the shape of G, or one element for U = s²·G. G is
// a constant; dS = 2 S∘G∘dU, summed for a single s.
func PreconditionDiagonal(s, g *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&preconditionDiagonal[float32]{}, &preconditionDiagonal[float64]{}, s, g)
}

type preconditionFull[T Float] struct{}

func (k *preconditionFull[T]) name() string     { return "preconditionFull" }
func (k *preconditionFull[T]) wrt() []bool      { return []bool{true, false} }
func (k *preconditionFull[T]) clone() kernel[T] { return &preconditionFull[T]{} }

func (k *preconditionFull[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	n := in[1].TotalSize()
	if !in[0].Eq(tensor.Shape{n, n}) {
		return nil, errors.Errorf("P has shape %v; a gradient of %d elements needs %d×%d", in[0], n, n, n)
	}
	return in[1].Clone(), nil
}

func (k *preconditionFull[T]) run(a *args[T]) error {
	n := len(a.out)
	blas.Gemm(false, false, n, 1, n, 1, a.in[0], n, a.in[1], 1, 0, a.out, 1)
	return nil
}

func (k *preconditionFull[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dp, err := apply(&preconditionFullGrad[T]{}, in[0], in[1], dout)
	return gorgonia.Nodes{dp, nil}, err
}

type preconditionFullGrad[T Float] struct{ noGradient[T] }

func (k *preconditionFullGrad[T]) name() string     { return "preconditionFullGrad" }
func (k *preconditionFullGrad[T]) clone() kernel[T] { return &preconditionFullGrad[T]{} }

func (k *preconditionFullGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), nil
}

func (k *preconditionFullGrad[T]) run(a *args[T]) error {
	n := len(a.in[1])
	blas.Gemm(false, false, n, n, 1, 1, a.in[2], 1, a.in[1], n, 0, a.out, n)
	return nil
}

type preconditionDiagonal[T Float] struct{}

func (k *preconditionDiagonal[T]) name() string     { return "preconditionDiagonal" }
func (k *preconditionDiagonal[T]) wrt() []bool      { return []bool{true, false} }
func (k *preconditionDiagonal[T]) clone() kernel[T] { return &preconditionDiagonal[T]{} }

func (k *preconditionDiagonal[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() == 1 {
		return in[1].Clone(), nil
	}
	return in[1].Clone(), sameShape(in[0], in[1])
}

func (k *preconditionDiagonal[T]) run(a *args[T]) error {
	s, g := a.in[0], a.in[1]
	if len(s) == 1 {
		for i, v := range g {
			a.out[i] = s[0] * s[0] * v
		}
		return nil
	}
	for i := range a.out {
		a.out[i] = s[i] * s[i] * g[i]
	}
	return nil
}

func (k *preconditionDiagonal[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ds, err := apply(&preconditionDiagonalGrad[T]{}, in[0], in[1], dout)
	return gorgonia.Nodes{ds, nil}, err
}

type preconditionDiagonalGrad[T Float] struct{ noGradient[T] }

func (k *preconditionDiagonalGrad[T]) name() string     { return "preconditionDiagonalGrad" }
func (k *preconditionDiagonalGrad[T]) clone() kernel[T] { return &preconditionDiagonalGrad[T]{} }

func (k *preconditionDiagonalGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[1], in[2])
}

func (k *preconditionDiagonalGrad[T]) run(a *args[T]) error {
	s, g, du := a.in[0], a.in[1], a.in[2]
	if len(s) == 1 {
		var sum float64
		for i, v := range g {
			sum += float64(v) * float64(du[i])
		}
		a.out[0] = T(2 * float64(s[0]) * sum)
		return nil
	}
	for i := range a.out {
		a.out[i] = 2 * s[i] * g[i] * du[i]
	}
	return nil
}

// DiagonalNext are the results of DiagonalStep.
type DiagonalNext struct {
	S, Average, Weight *gorgonia.Node
	Energy             *gorgonia.Node // the mean of the squares, a scalar
}

// DiagonalStep is P = S² = 1/(v/c + d) from the running average v of squares of probes'
// gradients and the weight c of what it has seen:
//
//	v ← 0.95·v + 0.05·h²,  c ← 0.95·c + 0.05
//
// v has the shape of the squares, or one element for their mean; c has one element. d is
// the first of the numbers of LowRank.Hyper. Nothing has a gradient.
func DiagonalStep(squares, v, c, hyper *gorgonia.Node) (next DiagonalNext, err error) {
	node := func(k32 kernel[float32], k64 kernel[float64], in ...*gorgonia.Node) (n *gorgonia.Node) {
		if err == nil {
			n, err = applyFloat(k32, k64, in...)
		}
		return n
	}
	next.Energy = node(&meanSquare[float32]{}, &meanSquare[float64]{}, squares)
	next.Average = node(&averageSquares[float32]{}, &averageSquares[float64]{}, squares, v)
	next.Weight = node(&averageWeight[float32]{}, &averageWeight[float64]{}, c)
	next.S = node(&diagonalStep[float32]{}, &diagonalStep[float64]{}, next.Average, next.Weight, hyper)
	return next, err
}

// meanSquare is the mean of its operand, whose elements are squares.
type meanSquare[T Float] struct{ noGradient[T] }

func (k *meanSquare[T]) name() string     { return "meanSquare" }
func (k *meanSquare[T]) clone() kernel[T] { return &meanSquare[T]{} }

func (k *meanSquare[T]) infer([]tensor.Shape) (tensor.Shape, error) { return tensor.ScalarShape(), nil }

func (k *meanSquare[T]) run(a *args[T]) error {
	a.out[0] = T(meanOf(a.in[0]))
	return nil
}

type averageSquares[T Float] struct{ noGradient[T] }

func (k *averageSquares[T]) name() string     { return "averageSquares" }
func (k *averageSquares[T]) clone() kernel[T] { return &averageSquares[T]{} }

func (k *averageSquares[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[1].TotalSize() == 1 {
		return in[1].Clone(), nil
	}
	return in[1].Clone(), sameShape(in[0], in[1])
}

func (k *averageSquares[T]) run(a *args[T]) error {
	h, v := a.in[0], a.in[1]
	if len(v) == 1 {
		a.out[0] = T(momentDecay*float64(v[0]) + (1-momentDecay)*meanOf(h))
		return nil
	}
	for i, x := range v {
		a.out[i] = momentDecay*x + (1-momentDecay)*h[i]
	}
	return nil
}

type averageWeight[T Float] struct{ noGradient[T] }

func (k *averageWeight[T]) name() string     { return "averageWeight" }
func (k *averageWeight[T]) clone() kernel[T] { return &averageWeight[T]{} }

func (k *averageWeight[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), vectorOf(in[0], 1, "the weight")
}

func (k *averageWeight[T]) run(a *args[T]) error {
	a.out[0] = momentDecay*a.in[0][0] + (1 - momentDecay)
	return nil
}

// diagonalStep is S; its operands are v, c and the numbers of LowRank.Hyper.
type diagonalStep[T Float] struct{ noGradient[T] }

func (k *diagonalStep[T]) name() string     { return "diagonalStep" }
func (k *diagonalStep[T]) clone() kernel[T] { return &diagonalStep[T]{} }

func (k *diagonalStep[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), vectorOf(in[2], 3, "the step's numbers")
}

func (k *diagonalStep[T]) run(a *args[T]) error {
	c, d := float64(a.in[1][0]), float64(a.in[2][0])
	for i, v := range a.in[0] {
		a.out[i] = T(1 / math.Sqrt(max(float64(v)/c+d, leastMoment)))
	}
	return nil
}
