package apoops

import (
	"slices"

	"gorgonia.org/tensor"
)

// sided is a kernel that computes small arrays besides its result.
type sided[T Float] interface{ side(i int) []T }

// sideResult is the kernel that copies what its operand's kernel, from, computed
// besides its result: a node has one value.
type sideResult[T Float] struct {
	noGradient[T]
	of    string // its name
	from  sided[T]
	i     int
	shape tensor.Shape
}

func (k *sideResult[T]) name() string { return k.of }

func (k *sideResult[T]) clone() kernel[T] {
	return &sideResult[T]{of: k.of, from: k.from, i: k.i, shape: k.shape}
}

func (k *sideResult[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return slices.Clone(k.shape), nil
}

func (k *sideResult[T]) run(a *args[T]) error {
	copy(a.out, k.from.side(k.i))
	return nil
}
