package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Take copies, of each row of x along an axis, the elements with the given numbers,
// a vector of tensor.Int, in their order; a number may come up several times. A
// number that x does not have is an error when the graph runs. (The gradient of
// Gorgonia's ByIndices is wrong where numbers repeat along another axis than the
// first.)
func Take(x, numbers *gorgonia.Node, axis int) (*gorgonia.Node, error) {
	return pick(&take[float32]{axis: axis}, &take[float64]{axis: axis}, x, numbers)
}

// take is the kernel of Take.
type take[T Float] struct {
	axis int
	a    *args[T]
	body func(lo, hi int)
}

func (k *take[T]) name() string     { return fmt.Sprintf("take(%d)", k.axis) }
func (k *take[T]) wrt() []bool      { return []bool{true, false} }
func (k *take[T]) fresh() kernel[T] { return &take[T]{axis: k.axis} }

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
	par.For(before, rowGrain(len(a.ints)*after), k.body)
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
	leaf[T]
	axis int
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *takeGrad[T]) name() string                               { return fmt.Sprintf("takeGrad(%d)", k.axis) }
func (k *takeGrad[T]) fresh() kernel[T]                           { return &takeGrad[T]{axis: k.axis, to: k.to} }
func (k *takeGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *takeGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, along, after := around(k.to, k.axis)
	par.For(before, rowGrain((along+len(a.ints))*after), k.body)
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
