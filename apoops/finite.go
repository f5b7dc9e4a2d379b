package apoops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
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
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}
