package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Reshape returns the elements of x, in row-major order, in another shape. It
// copies: Gorgonia's own Reshape shares memory, so that an in-place operation
// on its result changes x.
func Reshape(x *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	s := tensor.Shape(shape).Clone()
	return pick(&reshape[float32]{to: s}, &reshape[float64]{to: s}, x)
}

type reshape[T Float] struct{ to tensor.Shape }

func (k *reshape[T]) name() string     { return fmt.Sprintf("reshape%v", k.to) }
func (k *reshape[T]) wrt() []bool      { return []bool{true} }
func (k *reshape[T]) fresh() kernel[T] { return &reshape[T]{to: k.to} }

func (k *reshape[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != k.to.TotalSize() {
		return nil, errors.Errorf("%v has not as many elements as %v", in[0], k.to)
	}
	return k.to.Clone(), nil
}

func (k *reshape[T]) run(a *args[T]) error {
	copy(a.out, a.in[0])
	return nil
}

func (k *reshape[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&reshape[T]{to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}
