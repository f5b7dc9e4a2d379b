package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// Finite is the scalar 1 where all elements of x are finite, otherwise 0. It has
// no gradient.
func Finite(x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&finite[float32]{}, &finite[float64]{}, x)
}

type finite[T Float] struct{ noGradient[T] }

func (*finite[T]) name() string     { return "finite" }
func (*finite[T]) clone() kernel[T] { return &finite[T]{} }

func (*finite[T]) infer([]tensor.Shape) (tensor.Shape, error) { return tensor.ScalarShape(), nil }

func (*finite[T]) run(a *args[T]) error {
	a.out[0] = 1
	if !AllFinite(a.in[0]) {
		a.out[0] = 0
	}
	return nil
}

// AllFinite reports whether no element is NaN or infinite.
func AllFinite[T Float](x []T) bool {
	if sum := simd.Sum(x); sum-sum == 0 {
		return true // a sum with NaN or ±Inf is one of them
	}
	for _, v := range x { // the sum of finite float64 may overflow
		if v-v != 0 {
			return false
		}
	}
	return true
}

// Unscale is x/s, of an array or a number x and a number s: gradients of a loss that was
// multiplied by s. It is never rounded to 16 bits (see Rounder), and exact where s is a
// power of two and x/s no subnormal number. It has no gradient.
func Unscale(x, s *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&unscale[float32]{}, &unscale[float64]{}, x, s)
}

// scaledRelative takes Unscale away from a gradient. Z of its op is that of the scaled loss:
// divided by the scaled ε it is Z/ε.
func scaledRelative(dyb, epsilon *gorgonia.Node) (scaled, by *gorgonia.Node, err error) {
	if _, ok := kernelOf(dyb.Op()).(interface{ unscales() }); !ok {
		return dyb, epsilon, nil
	}
	operands := Operands(dyb)
	by, err = gorgonia.Mul(epsilon, operands[1])
	return operands[0], by, errors.Wrap(err, "apoops: relativeEnergy")
}

type unscale[T Float] struct {
	noGradient[T]
	loop loop[T]
}

func (k *unscale[T]) name() string     { return "unscale" }
func (k *unscale[T]) clone() kernel[T] { return &unscale[T]{} }
func (k *unscale[T]) isExact()         {}
func (k *unscale[T]) unscales()        {}

func (k *unscale[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[1].TotalSize() != 1 {
		return nil, ErrShape.Errorf("the scale has shape %v", in[1])
	}
	return in[0].Clone(), nil
}

func (k *unscale[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *unscale[T]) chunk(a *args[T], lo, hi int) {
	factor := 1 / a.in[1][0]
	x, y := a.in[0][lo:hi], a.out[lo:hi]
	for i, v := range x {
		y[i] = v * factor
	}
}
