package apoops

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Max is the largest element of x over the given axes, which the result does not
// have; that over all axes is a scalar. A NaN is larger than all numbers. All
// elements that are as large as the largest get its gradient, as in Gorgonia.
//
// (Gorgonia's Max and Sum take the wrong elements where an axis of a length other
// than 2 has axes of more than one element on both sides besides the first axis of
// the array: axis 2 of 4, for example.)
func Max(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error) {
	axes = slices.Clone(axes)
	return applyFloat(&maxOver[float32]{axes: axes}, &maxOver[float64]{axes: axes}, x)
}

// maxOver is the kernel of Max.
type maxOver[T Float] struct {
	axes []int
	a    *args[T]
	s    reduction
	body func(lo, hi int)
}

func (k *maxOver[T]) name() string     { return fmt.Sprintf("max%v", k.axes) }
func (k *maxOver[T]) wrt() []bool      { return []bool{true} }
func (k *maxOver[T]) clone() kernel[T] { return &maxOver[T]{axes: k.axes} }

func (k *maxOver[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], k.axes); err != nil {
		return nil, err
	}
	return without(in[0], k.axes), nil
}

func (k *maxOver[T]) run(a *args[T]) error {
	if k.body == nil {
		k.s = reductionOf(a.shapes[0], k.axes)
		k.body = k.results
	}
	k.a = a
	par.For(len(k.s.kept), par.RowGrain(len(k.s.over)*k.s.run), k.body)
	return nil
}

// results computes the results, or runs of them, from lo to hi.
func (k *maxOver[T]) results(lo, hi int) {
	n := 1
	if k.s.across {
		n = k.s.run
	}
	for i := lo; i < hi; i++ {
		y := k.a.out[i*n : (i+1)*n]
		for j := range y {
			y[j] = T(math.Inf(-1))
		}
		for _, o := range k.s.over {
			o += k.s.kept[i]
			x := k.a.in[0][o : o+k.s.run]
			if k.s.across {
				for j, v := range x {
					y[j] = max(y[j], v)
				}
				continue
			}
			for _, v := range x {
				y[0] = max(y[0], v)
			}
		}
	}
}

func (k *maxOver[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&maxOverGrad[T]{axes: k.axes}, in[0], out, dout)
	return gorgonia.Nodes{dx}, err
}

// maxOverGrad is dy where x is as large as y, 0 elsewhere; its operands are x, y
// and dy.
type maxOverGrad[T Float] struct {
	noGradient[T]
	axes []int
	a    *args[T]
	s    reduction
	body func(lo, hi int)
}

func (k *maxOverGrad[T]) name() string     { return fmt.Sprintf("maxGrad%v", k.axes) }
func (k *maxOverGrad[T]) clone() kernel[T] { return &maxOverGrad[T]{axes: k.axes} }

func (k *maxOverGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[1], in[2])
}

func (k *maxOverGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.s = reductionOf(a.shapes[0], k.axes)
		k.body = k.spread
	}
	k.a = a
	par.For(len(k.s.kept), par.RowGrain(len(k.s.over)*k.s.run), k.body)
	return nil
}

func (k *maxOverGrad[T]) spread(lo, hi int) {
	for i := lo; i < hi; i++ {
		for _, o := range k.s.over {
			o += k.s.kept[i]
			for j, v := range k.a.in[0][o : o+k.s.run] {
				result := i
				if k.s.across {
					result = i*k.s.run + j
				}
				k.a.out[o+j] = 0
				if v == k.a.in[1][result] {
					k.a.out[o+j] = k.a.in[2][result]
				}
			}
		}
	}
}
