package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Segment copies the elements of x from number lo on, in row-major order, into
// the given shape. It cuts a parameter out of a block that several share.
// (Gorgonia's Slice merges ranges that agree modulo 256.)
func Segment(x *gorgonia.Node, lo int, shape ...int) (*gorgonia.Node, error) {
	s := tensor.Shape(shape).Clone()
	return pick(&segment[float32]{lo: lo, to: s}, &segment[float64]{lo: lo, to: s}, x)
}

type segment[T Float] struct {
	lo int
	to tensor.Shape
}

func (k *segment[T]) name() string     { return fmt.Sprintf("segment%d%v", k.lo, k.to) }
func (k *segment[T]) wrt() []bool      { return []bool{true} }
func (k *segment[T]) fresh() kernel[T] { return &segment[T]{lo: k.lo, to: k.to} }

func (k *segment[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if k.lo < 0 || k.lo+k.to.TotalSize() > in[0].TotalSize() {
		return nil, errors.Errorf("elements %d to %d of an operand of shape %v", k.lo, k.lo+k.to.TotalSize(), in[0])
	}
	return k.to.Clone(), nil
}

func (k *segment[T]) run(a *args[T]) error {
	copy(a.out, a.in[0][k.lo:])
	return nil
}

func (k *segment[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&segmentGrad[T]{lo: k.lo, to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// segmentGrad puts dy into zeros.
type segmentGrad[T Float] struct {
	leaf[T]
	lo int
	to tensor.Shape
}

func (k *segmentGrad[T]) name() string     { return fmt.Sprintf("segmentGrad%d%v", k.lo, k.to) }
func (k *segmentGrad[T]) fresh() kernel[T] { return &segmentGrad[T]{lo: k.lo, to: k.to} }

func (k *segmentGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *segmentGrad[T]) run(a *args[T]) error {
	clear(a.out)
	copy(a.out[k.lo:], a.in[0])
	return nil
}
