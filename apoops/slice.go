package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Slice copies, of each row of x along an axis, count elements: number first and
// every step-th after it. The result has the given shape, or, where none is given,
// x's with count in place of the axis's length. (Gorgonia's Slice takes ranges
// that agree modulo 256 for one.)
func Slice(x *gorgonia.Node, axis, first, step, count int, shape ...int) (*gorgonia.Node, error) {
	c := cut{axis: axis, first: first, step: step, count: count, to: tensor.Shape(shape).Clone()}
	return pick(&slice[float32]{cut: c}, &slice[float64]{cut: c}, x)
}

type cut struct {
	axis, first, step, count int
	to                       tensor.Shape
}

func (c cut) String() string {
	return fmt.Sprintf("(%d: %d+%d·%d)%v", c.axis, c.first, c.count, c.step, c.to)
}

// slice is the kernel of Slice.
type slice[T Float] struct {
	cut
	a    *args[T]
	body func(lo, hi int)
}

func (k *slice[T]) name() string     { return "slice" + k.String() }
func (k *slice[T]) wrt() []bool      { return []bool{true} }
func (k *slice[T]) fresh() kernel[T] { return &slice[T]{cut: k.cut} }

func (k *slice[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], []int{k.axis}); err != nil {
		return nil, err
	}
	if k.first < 0 || k.step < 1 || k.count < 1 || k.first+(k.count-1)*k.step >= in[0][k.axis] {
		return nil, errors.Errorf("%d elements from number %d on, every %dth, of an axis of %d", k.count, k.first, k.step, in[0][k.axis])
	}
	s := in[0].Clone()
	s[k.axis] = k.count
	if len(k.to) == 0 && s.TotalSize() > 1 {
		return s, nil
	}
	if k.to.TotalSize() != s.TotalSize() {
		return nil, errors.Errorf("shape %v for the elements of %v", k.to, s)
	}
	return k.to.Clone(), nil
}

func (k *slice[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, _, after := around(a.shapes[0], k.axis)
	par.For(before, rowGrain(k.count*after), k.body)
	return nil
}

func (k *slice[T]) rows(lo, hi int) {
	_, along, after := around(k.a.shapes[0], k.axis)
	for i := lo; i < hi; i++ {
		for j := range k.count {
			y := k.a.out[(i*k.count+j)*after:][:after]
			copy(y, k.a.in[0][(i*along+k.first+j*k.step)*after:])
		}
	}
}

func (k *slice[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&sliceGrad[T]{cut: k.cut, from: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// sliceGrad puts dy into zeros.
type sliceGrad[T Float] struct {
	leaf[T]
	cut
	from tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *sliceGrad[T]) name() string                               { return "sliceGrad" + k.String() }
func (k *sliceGrad[T]) fresh() kernel[T]                           { return &sliceGrad[T]{cut: k.cut, from: k.from} }
func (k *sliceGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.from.Clone(), nil }

func (k *sliceGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, along, after := around(k.from, k.axis)
	par.For(before, rowGrain(along*after), k.body)
	return nil
}

func (k *sliceGrad[T]) rows(lo, hi int) {
	_, along, after := around(k.from, k.axis)
	clear(k.a.out[lo*along*after : hi*along*after])
	for i := lo; i < hi; i++ {
		for j := range k.count {
			dx := k.a.out[(i*along+k.first+j*k.step)*after:][:after]
			copy(dx, k.a.in[0][(i*k.count+j)*after:])
		}
	}
}
