package apoops

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Log2 is the logarithm of base 2 by element. (The gradient of Gorgonia's is
// wrong.)
func Log2(x *gorgonia.Node) (*gorgonia.Node, error) { return elementwise(log2, x) }

// InverseSqrt is 1/√x by element. (The gradient of Gorgonia's is wrong.)
func InverseSqrt(x *gorgonia.Node) (*gorgonia.Node, error) { return elementwise(inverseSqrt, x) }

// function is a function of numbers with its derivative, given x and y = f(x).
type function struct {
	name       string
	value      func(x float64) float64
	derivative func(x, y float64) float64
}

var (
	log2 = &function{
		name:       "log2",
		value:      math.Log2,
		derivative: func(x, _ float64) float64 { return 1 / (x * math.Ln2) },
	}
	inverseSqrt = &function{
		name:       "inverseSqrt",
		value:      func(x float64) float64 { return 1 / math.Sqrt(x) },
		derivative: func(x, y float64) float64 { return -y / (2 * x) },
	}
)

func elementwise(f *function, x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&pointwise[float32]{f: f}, &pointwise[float64]{f: f}, x)
}

// pointwise is the kernel y = f(x) by element.
type pointwise[T Float] struct {
	f    *function
	a    *args[T]
	body func(lo, hi int)
}

func (k *pointwise[T]) name() string                                  { return k.f.name }
func (k *pointwise[T]) wrt() []bool                                   { return []bool{true} }
func (k *pointwise[T]) clone() kernel[T]                              { return &pointwise[T]{f: k.f} }
func (k *pointwise[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *pointwise[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			y, x := k.a.out[lo:hi], k.a.in[0][lo:hi]
			for i, v := range x {
				y[i] = T(k.f.value(float64(v)))
			}
		}
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *pointwise[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&pointwiseGrad[T]{f: k.f}, in[0], out, dout)
	return gorgonia.Nodes{dx}, err
}

// pointwiseGrad is the kernel dx = f'(x)·dy; its operands are x, y and dy.
type pointwiseGrad[T Float] struct {
	noGradient[T]
	f    *function
	a    *args[T]
	body func(lo, hi int)
}

func (k *pointwiseGrad[T]) name() string     { return k.f.name + "Grad" }
func (k *pointwiseGrad[T]) clone() kernel[T] { return &pointwiseGrad[T]{f: k.f} }

func (k *pointwiseGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[2])
}

func (k *pointwiseGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			dx, x, y, dy := k.a.out[lo:hi], k.a.in[0][lo:hi], k.a.in[1][lo:hi], k.a.in[2][lo:hi]
			for i, v := range x {
				dx[i] = T(k.f.derivative(float64(v), float64(y[i])) * float64(dy[i]))
			}
		}
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}
