package apoops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Product is a∘b by element, for arrays of one shape.
func Product(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&product[float32]{}, &product[float64]{}, a, b)
}

// product is the kernel of Product.
type product[T Float] struct {
	a    *args[T]
	body func(lo, hi int)
}

func (k *product[T]) name() string     { return "product" }
func (k *product[T]) wrt() []bool      { return []bool{true, true} }
func (k *product[T]) clone() kernel[T] { return &product[T]{} }

func (k *product[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *product[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) { multiply(k.a.out[lo:hi], k.a.in[0][lo:hi], k.a.in[1][lo:hi]) }
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

// multiply sets y = a∘b, four elements per iteration, as addTo does.
func multiply[T Float](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	i := 0
	for ; i+4 <= len(y); i += 4 {
		p, q, r := a[i:i+4:i+4], b[i:i+4:i+4], y[i:i+4:i+4]
		r[0] = p[0] * q[0]
		r[1] = p[1] * q[1]
		r[2] = p[2] * q[2]
		r[3] = p[3] * q[3]
	}
	for ; i < len(y); i++ {
		y[i] = a[i] * b[i]
	}
}

func (k *product[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	da, err := apply(&product[T]{}, dout, in[1])
	if err != nil {
		return nil, err
	}
	db, err := apply(&product[T]{}, dout, in[0])
	return gorgonia.Nodes{da, db}, err
}

// Times is factor·x by element, for a number that is known when the graph is made.
func Times(x *gorgonia.Node, factor float64) (*gorgonia.Node, error) {
	return applyFloat(&times[float32]{factor: float32(factor)}, &times[float64]{factor: factor}, x)
}

// times is the kernel factor·x, or factor·x·c for a scalar second operand c, which
// counts as a constant.
type times[T Float] struct {
	factor T
	f      T
	a      *args[T]
	body   func(lo, hi int)
}

func (k *times[T]) name() string     { return "times" }
func (k *times[T]) wrt() []bool      { return []bool{true} }
func (k *times[T]) clone() kernel[T] { return &times[T]{factor: k.factor} }

func (k *times[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *times[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			out, x := k.a.out[lo:hi], k.a.in[0][lo:hi]
			for i, v := range x {
				out[i] = k.f * v
			}
		}
	}
	k.a, k.f = a, k.factor
	if len(a.in) == 2 {
		k.f *= a.in[1][0]
	}
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *times[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&times[T]{factor: k.factor}, append(gorgonia.Nodes{dout}, in[1:]...)...)
	return gorgonia.Nodes{dx, nil}[:len(in)], err
}
