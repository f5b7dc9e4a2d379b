package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Minus is a - b for nodes of one shape.
func Minus(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&minus[float32]{wrtA: true}, &minus[float64]{wrtA: true}, a, b)
}

// Lookahead is θ' = θ - u with θ held constant.
func Lookahead(theta, u *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&minus[float32]{}, &minus[float64]{}, theta, u)
}

// ScaledLookahead is θ' = θ - ε·u for a scalar ε, with θ and ε held constant.
func ScaledLookahead(theta, u, epsilon *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&minus[float32]{}, &minus[float64]{}, theta, u, epsilon)
}

// minus is the kernel a - b, or a - c·b for a scalar third operand c.
type minus[T Float] struct {
	wrtA bool
	c    T
	a    *args[T]
	body func(lo, hi int)
}

func (k *minus[T]) name() string     { return "minus" }
func (k *minus[T]) wrt() []bool      { return []bool{k.wrtA, true} }
func (k *minus[T]) clone() kernel[T] { return &minus[T]{wrtA: k.wrtA} }

func (k *minus[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) == 3 && !in[2].IsScalar() {
		return nil, errors.Errorf("ε has shape %v, not that of a scalar", in[2])
	}
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *minus[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			out, x, y := k.a.out[lo:hi], k.a.in[0][lo:hi], k.a.in[1][lo:hi]
			for i, v := range x {
				out[i] = v - k.c*y[i]
			}
		}
	}
	k.a, k.c = a, 1
	if len(a.in) == 3 {
		k.c = a.in[2][0]
	}
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *minus[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	operands := append(gorgonia.Nodes{dout}, in[2:]...)
	db, err := apply(&times[T]{factor: -1}, operands...)
	if err != nil {
		return nil, err
	}
	ret := make(gorgonia.Nodes, len(in))
	ret[1] = db
	if k.wrtA {
		ret[0], err = apply(&times[T]{factor: 1}, dout)
	}
	return ret, err
}

// HalfSquaredNorm is ½ Σ_i ‖u_i‖² of nodes of any shapes: the weight-space
// discrepancy of the updates u_i.
func HalfSquaredNorm(u ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(u) == 0 {
		return nil, errors.New("apoops: halfSquaredNorm: no operand")
	}
	n := len(u)
	return applyFloat(&halfSquaredNorm[float32]{n: n}, &halfSquaredNorm[float64]{n: n}, u...)
}

type halfSquaredNorm[T Float] struct {
	n   int
	sum blas.Inner[T]
}

func (k *halfSquaredNorm[T]) name() string     { return "halfSquaredNorm" }
func (k *halfSquaredNorm[T]) clone() kernel[T] { return &halfSquaredNorm[T]{n: k.n} }

func (k *halfSquaredNorm[T]) wrt() []bool {
	all := make([]bool, k.n)
	for i := range all {
		all[i] = true
	}
	return all
}

func (k *halfSquaredNorm[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (k *halfSquaredNorm[T]) run(a *args[T]) error {
	var total float64
	for _, u := range a.in {
		total += k.sum.Product(u, u)
	}
	a.out[0] = T(total / 2)
	return nil
}

func (k *halfSquaredNorm[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ret := make(gorgonia.Nodes, len(in))
	for i, u := range in {
		du, err := apply(&times[T]{factor: 1}, u, dout)
		if err != nil {
			return nil, err
		}
		ret[i] = du
	}
	return ret, nil
}
