package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

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
	return pick(&swapAxes[float32]{swapped: d}, &swapAxes[float64]{swapped: d}, x)
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
func (k *swapAxes[T]) fresh() kernel[T]                           { return &swapAxes[T]{swapped: k.swapped} }
func (k *swapAxes[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *swapAxes[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.columns
	}
	k.a = a
	par.For(k.n*k.cols, rowGrain(k.rows), k.body)
	return nil
}

// columns copies the columns from lo to hi, those of all matrices counted through.
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
