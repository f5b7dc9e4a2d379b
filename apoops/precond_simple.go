package apoops

import (
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
