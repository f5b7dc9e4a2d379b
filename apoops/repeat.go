package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Repeat makes an array of the given shape of x, whose elements are those of that
// shape without the axis: each is repeated along the axis. The gradient is the sum
// over it.
func Repeat(x *gorgonia.Node, axis int, shape ...int) (*gorgonia.Node, error) {
	s := tensor.Shape(shape).Clone()
	return pick(&repeat[float32]{axis: axis, to: s}, &repeat[float64]{axis: axis, to: s}, x)
}

// repeat is the kernel of Repeat.
type repeat[T Float] struct {
	axis int
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *repeat[T]) name() string     { return fmt.Sprintf("repeat(%d)%v", k.axis, k.to) }
func (k *repeat[T]) wrt() []bool      { return []bool{true} }
func (k *repeat[T]) fresh() kernel[T] { return &repeat[T]{axis: k.axis, to: k.to} }

func (k *repeat[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(k.to, []int{k.axis}); err != nil {
		return nil, err
	}
	if before, _, after := around(k.to, k.axis); in[0].TotalSize() != before*after {
		return nil, errors.Errorf("%v has not as many elements as %v without axis %d", in[0], k.to, k.axis)
	}
	return k.to.Clone(), nil
}

func (k *repeat[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, along, after := around(k.to, k.axis)
	par.For(before, rowGrain(along*after), k.body)
	return nil
}

func (k *repeat[T]) rows(lo, hi int) {
	_, along, after := around(k.to, k.axis)
	for i := lo; i < hi; i++ {
		x := k.a.in[0][i*after : (i+1)*after]
		y := k.a.out[i*along*after : (i+1)*along*after]
		for len(y) > 0 {
			y = y[copy(y, x):]
		}
	}
}

func (k *repeat[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Sum(dout, k.axis)
	if err != nil || dx.Shape().Eq(in[0].Shape()) {
		return gorgonia.Nodes{dx}, err
	}
	dx, err = Reshape(dx, in[0].Shape()...)
	return gorgonia.Nodes{dx}, err
}
