package apoops

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Concat joins arrays along an axis, in their order: their shapes may differ there
// alone. (The gradient of Gorgonia's is cut by its Slice: see there.)
func Concat(axis int, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&concat[float32]{axis: axis, n: len(x)}, &concat[float64]{axis: axis, n: len(x)}, x...)
}

// concat is the kernel of Concat.
type concat[T Float] struct {
	axis, n int
	a       *args[T]
	body    func(lo, hi int)
}

func (k *concat[T]) name() string     { return fmt.Sprintf("concat(%d)", k.axis) }
func (k *concat[T]) wrt() []bool      { return slices.Repeat([]bool{true}, k.n) }
func (k *concat[T]) clone() kernel[T] { return &concat[T]{axis: k.axis, n: k.n} }

func (k *concat[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], []int{k.axis}); err != nil {
		return nil, err
	}
	whole := in[0].Clone()
	whole[k.axis] = 0
	for i, s := range in {
		part := s.Clone()
		if len(part) == len(whole) {
			part[k.axis] = whole[k.axis]
		}
		if !slices.Equal(part, whole) {
			return nil, errors.Errorf("operand %d of shape %v does not fit behind %v on axis %d", i, s, in[0], k.axis)
		}
		whole[k.axis] += s[k.axis]
	}
	return whole, nil
}

func (k *concat[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, _, _ := around(a.shapes[0], k.axis)
	par.For(before, par.RowGrain(len(a.out)/max(before, 1)), k.body)
	return nil
}

func (k *concat[T]) rows(lo, hi int) {
	before, _, _ := around(k.a.shapes[0], k.axis)
	length := len(k.a.out) / before
	for i := lo; i < hi; i++ {
		y := k.a.out[i*length : (i+1)*length]
		for _, x := range k.a.in {
			part := len(x) / before
			copy(y, x[i*part:(i+1)*part])
			y = y[part:]
		}
	}
}

func (k *concat[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx := make(gorgonia.Nodes, len(in))
	first := 0
	for i, x := range in {
		count := x.Shape()[k.axis]
		var err error
		if dx[i], err = Slice(dout, k.axis, first, 1, count, x.Shape()...); err != nil {
			return nil, err
		}
		first += count
	}
	return dx, nil
}

// Repeat makes an array of the given shape of x, whose elements are those of that
// shape without the axis: each is repeated along the axis. The gradient is the sum
// over it.
func Repeat(x *gorgonia.Node, axis int, shape ...int) (*gorgonia.Node, error) {
	s := tensor.Shape(shape).Clone()
	return applyFloat(&repeat[float32]{axis: axis, to: s}, &repeat[float64]{axis: axis, to: s}, x)
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
func (k *repeat[T]) clone() kernel[T] { return &repeat[T]{axis: k.axis, to: k.to} }

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
	par.For(before, par.RowGrain(along*after), k.body)
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
