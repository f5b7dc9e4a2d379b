package apoops

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// SparsemaxAlong projects each row of x along an axis, counted from 0, onto the
// probabilities (Martins & Astudillo 2016):
//
//	y_j = max(x_j - τ, 0), τ such that Σ_j y_j = 1
func SparsemaxAlong(x *gorgonia.Node, axis int) (*gorgonia.Node, error) {
	return alongAxis(x, axis, func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return applyFloat(&sparsemax[float32]{}, &sparsemax[float64]{}, x)
	})
}

// sparsemax is the kernel of SparsemaxAlong for the last axis.
type sparsemax[T Float] struct {
	a    *args[T]
	cols int
	body func(lo, hi int)
}

func (k *sparsemax[T]) name() string                                  { return "sparsemax" }
func (k *sparsemax[T]) wrt() []bool                                   { return []bool{true} }
func (k *sparsemax[T]) clone() kernel[T]                              { return &sparsemax[T]{} }
func (k *sparsemax[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return wantRows(in[0]) }

func (k *sparsemax[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a, k.cols = a, lastAxis(a.shapes[0])
	par.For(len(a.out)/k.cols, par.RowGrain(k.cols), k.body)
	return nil
}

func (k *sparsemax[T]) rows(lo, hi int) {
	sorted := scratch.Get[T](k.cols)
	defer scratch.Put(sorted)
	for i := lo; i < hi; i++ {
		x, y := k.a.in[0][i*k.cols:(i+1)*k.cols], k.a.out[i*k.cols:(i+1)*k.cols]
		copy(sorted, x)
		slices.Sort(sorted)
		largest := sorted[k.cols-1]
		τ := threshold(sorted)
		for j, v := range x {
			y[j] = max(T(float64(v-largest)-τ), 0)
		}
	}
}

// threshold is τ of a row, sorted from the smallest element on, less its largest:
// the mean by which the elements above it exceed 1 in sum.
func threshold[T Float](sorted []T) (τ float64) {
	last := len(sorted) - 1
	var sum float64
	for n := range sorted {
		v := float64(sorted[last-n] - sorted[last])
		sum += v
		if float64(n+1)*v <= sum-1 {
			break
		}
		τ = (sum - 1) / float64(n+1)
	}
	return τ
}

func (k *sparsemax[T]) grad(_ gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&sparsemaxGrad[T]{}, out, dout)
	return gorgonia.Nodes{dx}, err
}

// sparsemaxGrad is dy less its mean over the elements with y > 0, and 0 where y is.
type sparsemaxGrad[T Float] struct {
	noGradient[T]
	a    *args[T]
	cols int
	body func(lo, hi int)
}

func (k *sparsemaxGrad[T]) name() string     { return "sparsemaxGrad" }
func (k *sparsemaxGrad[T]) clone() kernel[T] { return &sparsemaxGrad[T]{} }

func (k *sparsemaxGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *sparsemaxGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a, k.cols = a, lastAxis(a.shapes[0])
	par.For(len(a.out)/k.cols, par.RowGrain(k.cols), k.body)
	return nil
}

func (k *sparsemaxGrad[T]) rows(lo, hi int) {
	for i := lo; i < hi; i++ {
		from, to := i*k.cols, (i+1)*k.cols
		dx, y, dy := k.a.out[from:to], k.a.in[0][from:to], k.a.in[1][from:to]
		var sum, n float64
		for j, v := range y {
			if v > 0 {
				sum += float64(dy[j])
				n++
			}
		}
		for j, v := range y {
			dx[j] = 0
			if v > 0 {
				dx[j] = T(float64(dy[j]) - sum/n)
			}
		}
	}
}
