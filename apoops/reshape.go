package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Reshape returns the elements of x, in row-major order, in another shape. It
// copies: Gorgonia's own Reshape shares memory, so that an in-place operation
// on its result changes x. x may be of tensor.Int.
func Reshape(x *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	s := tensor.Shape(shape).Clone()
	if isInteger(x) {
		return apply[float32](&reshapeInts{to: s}, x)
	}
	return applyFloat(&reshape[float32]{to: s}, &reshape[float64]{to: s}, x)
}

type reshape[T Float] struct {
	to   tensor.Shape
	loop loop[T]
}

func (k *reshape[T]) name() string     { return fmt.Sprintf("reshape%v", k.to) }
func (k *reshape[T]) wrt() []bool      { return []bool{true} }
func (k *reshape[T]) clone() kernel[T] { return &reshape[T]{to: k.to} }

func (k *reshape[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return reshaped(in[0], k.to) }

// reshaped is the shape to, if it has as many elements as from.
func reshaped(from, to tensor.Shape) (tensor.Shape, error) {
	if from.TotalSize() != to.TotalSize() {
		return nil, errors.Errorf("%v has not as many elements as %v", from, to)
	}
	return to.Clone(), nil
}

func (k *reshape[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *reshape[T]) copiesElements() bool { return true }

func (k *reshape[T]) chunk(a *args[T], lo, hi int) { copy(a.out[lo:hi], a.in[0][lo:hi]) }

func (k *reshape[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&reshape[T]{to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// isInteger reports whether x is an array of tensor.Int.
func isInteger(x *gorgonia.Node) bool { return x != nil && x.Dtype() == tensor.Int }

// reshapeInts is the kernel of Reshape for integers.
type reshapeInts struct {
	noGradient[float32]
	to tensor.Shape
}

func (k *reshapeInts) name() string           { return fmt.Sprintf("reshape%v", k.to) }
func (k *reshapeInts) clone() kernel[float32] { return &reshapeInts{to: k.to} }
func (k *reshapeInts) resultIsInteger()       {}

func (k *reshapeInts) infer(in []tensor.Shape) (tensor.Shape, error) { return reshaped(in[0], k.to) }

func (k *reshapeInts) run(a *args[float32]) error {
	copy(a.outInts, a.ints)
	return nil
}

// Segment copies the elements of x from element lo on, in row-major order, into the
// given shape. It cuts a parameter out of a block that several share. (Gorgonia's
// Slice merges ranges that agree modulo 256.)
func Segment(x *gorgonia.Node, lo int, shape ...int) (*gorgonia.Node, error) {
	s := tensor.Shape(shape).Clone()
	return applyFloat(&segment[float32]{lo: lo, to: s}, &segment[float64]{lo: lo, to: s}, x)
}

type segment[T Float] struct {
	lo int
	to tensor.Shape
}

func (k *segment[T]) name() string     { return fmt.Sprintf("segment%d%v", k.lo, k.to) }
func (k *segment[T]) wrt() []bool      { return []bool{true} }
func (k *segment[T]) clone() kernel[T] { return &segment[T]{lo: k.lo, to: k.to} }

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
	noGradient[T]
	lo int
	to tensor.Shape
}

func (k *segmentGrad[T]) name() string     { return fmt.Sprintf("segmentGrad%d%v", k.lo, k.to) }
func (k *segmentGrad[T]) clone() kernel[T] { return &segmentGrad[T]{lo: k.lo, to: k.to} }

func (k *segmentGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *segmentGrad[T]) run(a *args[T]) error {
	clear(a.out)
	copy(a.out[k.lo:], a.in[0])
	return nil
}

// alongAxis applies f, which works along the last axis, along another one: the
// axes before it stay, it goes behind those after it and back.
func alongAxis(x *gorgonia.Node, axis int, f func(*gorgonia.Node) (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	if x == nil {
		return f(nil)
	}
	s := x.Shape()
	if axis < 0 || axis >= s.Dims() {
		return nil, errors.Errorf("apoops: x of shape %v has no axis %d", s, axis)
	}
	before, along, after := around(s, axis)
	if after == 1 && axis == s.Dims()-1 {
		return f(x)
	}
	rows, err := swap(x, before, along, after, tensor.Shape{before, after, along})
	if err != nil {
		return nil, err
	}
	y, err := f(rows)
	if err != nil {
		return nil, err
	}
	return swap(y, before, after, along, s)
}

// swap exchanges the last two axes of x, seen as an array of n×rows×cols, and
// returns the elements in the given shape.
func swap(x *gorgonia.Node, n, rows, cols int, to tensor.Shape) (*gorgonia.Node, error) {
	d := swapped{n: n, rows: rows, cols: cols, to: to.Clone()}
	return applyFloat(&swapAxes[float32]{swapped: d}, &swapAxes[float64]{swapped: d}, x)
}

type swapped struct {
	n, rows, cols int
	to            tensor.Shape
}

// swapAxes is the kernel of swap.
type swapAxes[T Float] struct {
	swapped
	a    *args[T]
	body func(lo, hi int)
}

func (k *swapAxes[T]) name() string                               { return "swapAxes" }
func (k *swapAxes[T]) wrt() []bool                                { return []bool{true} }
func (k *swapAxes[T]) clone() kernel[T]                           { return &swapAxes[T]{swapped: k.swapped} }
func (k *swapAxes[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *swapAxes[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.columns
	}
	k.a = a
	par.For(k.n*k.cols, par.RowGrain(k.rows), k.body)
	return nil
}

// columns copies the columns [lo, hi), numbered across all matrices.
func (k *swapAxes[T]) columns(lo, hi int) {
	for i := lo; i < hi; i++ {
		x := k.a.in[0][i/k.cols*k.rows*k.cols+i%k.cols:]
		y := k.a.out[i*k.rows : (i+1)*k.rows]
		for j := range y {
			y[j] = x[j*k.cols]
		}
	}
}

func (k *swapAxes[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := swap(dout, k.n, k.cols, k.rows, in[0].Shape())
	return gorgonia.Nodes{dx}, err
}
