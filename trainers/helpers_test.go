package trainers

import (
	"gorgonia.org/tensor"
)

// denseOf makes a tensor of the given shape.
func denseOf[T any](backing []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
}
