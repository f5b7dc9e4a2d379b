package apoops

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Sum is the sum of x over the given axes, which the result does not have; the sum
// over all axes, each of which is named, is a scalar, and that over none is x. It is
// added up in float64. (Gorgonia's gives wrong values over axes such as axis 2 of 4:
// see Max.)
func Sum(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error) {
	axes = slices.Clone(axes)
	return applyFloat(&sum[float32]{axes: axes}, &sum[float64]{axes: axes}, x)
}

// sum is the kernel of Sum. Where the last axis is kept, sums of neighbours are
// added up side by side; where it is summed, its elements one after the other.
type sum[T Float] struct {
	axes []int
	a    *args[T]
	s    reduction
	body func(lo, hi int)
}

func (k *sum[T]) name() string     { return fmt.Sprintf("sum%v", k.axes) }
func (k *sum[T]) wrt() []bool      { return []bool{true} }
func (k *sum[T]) clone() kernel[T] { return &sum[T]{axes: k.axes} }

func (k *sum[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], k.axes); err != nil {
		return nil, err
	}
	return without(in[0], k.axes), nil
}

func (k *sum[T]) run(a *args[T]) error {
	if k.body == nil {
		k.s = reductionOf(a.shapes[0], k.axes)
		k.body = k.single
		if k.s.across {
			k.body = k.blocks
		}
	}
	k.a = a
	if k.s.across {
		par.For(len(k.s.kept)*k.s.blocks(), par.RowGrain(len(k.s.over)*reductionBlock), k.body)
	} else {
		par.For(len(k.s.kept), par.RowGrain(len(k.s.over)*k.s.run), k.body)
	}
	return nil
}

// single computes the sums from lo to hi, each from runs of neighbours.
func (k *sum[T]) single(lo, hi int) {
	x := k.a.in[0]
	for i := lo; i < hi; i++ {
		var total float64
		for _, o := range k.s.over {
			o += k.s.kept[i]
			total += vmath.Sum64(x[o : o+k.s.run])
		}
		k.a.out[i] = T(total)
	}
}

// blocks computes the blocks of sums from lo to hi.
func (k *sum[T]) blocks(lo, hi int) {
	var buf [reductionBlock]float64
	n := k.s.blocks()
	for i := lo; i < hi; i++ {
		from := i % n * reductionBlock
		to := min(from+reductionBlock, k.s.run)
		total := buf[:to-from]
		clear(total)
		for _, o := range k.s.over {
			o += k.s.kept[i/n]
			for j, v := range k.a.in[0][o+from : o+to] {
				total[j] += float64(v)
			}
		}
		y := k.a.out[i/n*k.s.run:]
		for j, v := range total {
			y[from+j] = T(v)
		}
	}
}

func (k *sum[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&sumGrad[T]{axes: k.axes, to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// sumGrad gives each element of x the gradient of its sum.
type sumGrad[T Float] struct {
	noGradient[T]
	axes []int
	to   tensor.Shape
	a    *args[T]
	s    reduction
	body func(lo, hi int)
}

func (k *sumGrad[T]) name() string                               { return fmt.Sprintf("sumGrad%v", k.axes) }
func (k *sumGrad[T]) clone() kernel[T]                           { return &sumGrad[T]{axes: k.axes, to: k.to} }
func (k *sumGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *sumGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.s = reductionOf(k.to, k.axes)
		k.body = k.spread
	}
	k.a = a
	par.For(len(k.s.kept), par.RowGrain(len(k.s.over)*k.s.run), k.body)
	return nil
}

func (k *sumGrad[T]) spread(lo, hi int) {
	dy, run := k.a.in[0], k.s.run
	for i := lo; i < hi; i++ {
		for _, o := range k.s.over {
			o += k.s.kept[i]
			dx := k.a.out[o : o+run]
			if k.s.across {
				copy(dx, dy[i*run:])
				continue
			}
			for j := range dx {
				dx[j] = dy[i]
			}
		}
	}
}

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
