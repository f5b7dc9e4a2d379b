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
// that agree modulo 256 for one.) x may be of tensor.Int.
func Slice(x *gorgonia.Node, axis, first, step, count int, shape ...int) (*gorgonia.Node, error) {
	c := cut{axis: axis, first: first, step: step, count: count, to: tensor.Shape(shape).Clone()}
	if isInteger(x) {
		return apply[float32](&sliceInts{cut: c}, x)
	}
	return applyFloat(&slice[float32]{cut: c}, &slice[float64]{cut: c}, x)
}

type cut struct {
	axis, first, step, count int
	to                       tensor.Shape
}

func (c cut) String() string {
	return fmt.Sprintf("(%d: %d+%d·%d)%v", c.axis, c.first, c.count, c.step, c.to)
}

func (c cut) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], []int{c.axis}); err != nil {
		return nil, err
	}
	if c.first < 0 || c.step < 1 || c.count < 1 || c.first+(c.count-1)*c.step >= in[0][c.axis] {
		return nil, errors.Errorf("%d elements from number %d on, every %dth, of an axis of %d", c.count, c.first, c.step, in[0][c.axis])
	}
	s := in[0].Clone()
	s[c.axis] = c.count
	if len(c.to) == 0 && s.TotalSize() > 1 {
		return s, nil
	}
	if c.to.TotalSize() != s.TotalSize() {
		return nil, errors.Errorf("shape %v for the elements of %v", c.to, s)
	}
	return c.to.Clone(), nil
}

// slice is the kernel of Slice.
type slice[T Float] struct {
	cut
	a    *args[T]
	body func(lo, hi int)
}

func (k *slice[T]) name() string     { return "slice" + k.String() }
func (k *slice[T]) wrt() []bool      { return []bool{true} }
func (k *slice[T]) clone() kernel[T] { return &slice[T]{cut: k.cut} }

func (k *slice[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, _, after := around(a.shapes[0], k.axis)
	par.For(before, par.RowGrain(k.count*after), k.body)
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

// sliceInts is the kernel of Slice for integers.
type sliceInts struct {
	noGradient[float32]
	cut
}

func (k *sliceInts) name() string           { return "slice" + k.String() }
func (k *sliceInts) clone() kernel[float32] { return &sliceInts{cut: k.cut} }
func (k *sliceInts) resultIsInteger()       {}

func (k *sliceInts) run(a *args[float32]) error {
	before, along, after := around(a.shapes[0], k.axis)
	for i := range before * k.count {
		from := (i/k.count*along + k.first + i%k.count*k.step) * after
		copy(a.outInts[i*after:(i+1)*after], a.ints[from:])
	}
	return nil
}

// sliceGrad puts dy into zeros.
type sliceGrad[T Float] struct {
	noGradient[T]
	cut
	from tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *sliceGrad[T]) name() string                               { return "sliceGrad" + k.String() }
func (k *sliceGrad[T]) clone() kernel[T]                           { return &sliceGrad[T]{cut: k.cut, from: k.from} }
func (k *sliceGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.from.Clone(), nil }

func (k *sliceGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, along, after := around(k.from, k.axis)
	par.For(before, par.RowGrain(along*after), k.body)
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

// Take copies, of each row of x along an axis, the elements with the given numbers,
// a vector of tensor.Int, in their order; a number may come up several times. A
// number that x does not have is an error when the graph runs. (The gradient of
// Gorgonia's ByIndices is wrong where numbers repeat along another axis than the
// first.)
func Take(x, numbers *gorgonia.Node, axis int) (*gorgonia.Node, error) {
	return applyFloat(&take[float32]{axis: axis}, &take[float64]{axis: axis}, x, numbers)
}

// take is the kernel of Take.
type take[T Float] struct {
	axis int
	a    *args[T]
	body func(lo, hi int)
}

func (k *take[T]) name() string     { return fmt.Sprintf("take(%d)", k.axis) }
func (k *take[T]) wrt() []bool      { return []bool{true, false} }
func (k *take[T]) clone() kernel[T] { return &take[T]{axis: k.axis} }

func (k *take[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], []int{k.axis}); err != nil {
		return nil, err
	}
	if in[1].Dims() != 1 {
		return nil, errors.Errorf("numbers of shape %v are no vector", in[1])
	}
	s := in[0].Clone()
	s[k.axis] = in[1][0]
	return s, nil
}

func (k *take[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, along, after := around(a.shapes[0], k.axis)
	for i, n := range a.ints {
		if n < 0 || n >= along {
			return errors.Errorf("number %d is %d, of an axis of %d", i, n, along)
		}
	}
	par.For(before, par.RowGrain(len(a.ints)*after), k.body)
	return nil
}

func (k *take[T]) rows(lo, hi int) {
	_, along, after := around(k.a.shapes[0], k.axis)
	for i := lo; i < hi; i++ {
		for j, n := range k.a.ints {
			y := k.a.out[(i*len(k.a.ints)+j)*after:][:after]
			copy(y, k.a.in[0][(i*along+n)*after:])
		}
	}
}

func (k *take[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&takeGrad[T]{axis: k.axis, to: in[0].Shape()}, dout, in[1])
	return gorgonia.Nodes{dx, nil}, err
}

// takeGrad adds dy up in the places that its elements are from.
type takeGrad[T Float] struct {
	noGradient[T]
	axis int
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *takeGrad[T]) name() string                               { return fmt.Sprintf("takeGrad(%d)", k.axis) }
func (k *takeGrad[T]) clone() kernel[T]                           { return &takeGrad[T]{axis: k.axis, to: k.to} }
func (k *takeGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *takeGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, along, after := around(k.to, k.axis)
	par.For(before, par.RowGrain((along+len(a.ints))*after), k.body)
	return nil
}

func (k *takeGrad[T]) rows(lo, hi int) {
	_, along, after := around(k.to, k.axis)
	clear(k.a.out[lo*along*after : hi*along*after])
	for i := lo; i < hi; i++ {
		for j, n := range k.a.ints {
			dx := k.a.out[(i*along+n)*after:][:after]
			for e, d := range k.a.in[0][(i*len(k.a.ints)+j)*after:][:after] {
				dx[e] += d
			}
		}
	}
}
