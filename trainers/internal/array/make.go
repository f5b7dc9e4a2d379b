package array

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// ZerosLike makes an array of zeros for each parameter, in its shape and dtype.
func ZerosLike(params []*graph.Param) []*tensor.Dense {
	z := make([]*tensor.Dense, len(params))
	for i, p := range params {
		z[i] = tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.Of(p.Value.Dtype()))
	}
	return z
}

// CloneAll copies arrays.
func CloneAll(arrays []*tensor.Dense) []*tensor.Dense {
	all := make([]*tensor.Dense, len(arrays))
	for i, a := range arrays {
		all[i] = a.Clone().(*tensor.Dense)
	}
	return all
}

// Matrix is a tensor over a, a matrix of rows×cols in row-major order.
func Matrix[T apoops.Float](a []T, rows, cols int) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(a))
}

// Vector is a tensor over the elements of x.
func Vector[T any](x []T) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))
}

// Fill sets all elements of a to v.
func Fill[T apoops.Float](a []T, v T) {
	for i := range a {
		a[i] = v
	}
}

// Identity adds scale·I to an n×n matrix of zeros.
func Identity[T apoops.Float](a []T, n int, scale T) {
	for i := range n {
		a[i*n+i] = scale
	}
}

// Scale multiplies an array by a factor, on all cores.
func Scale(a *tensor.Dense, factor float64) {
	if scale, err := apoops.Choose(a.Dtype(), scale[float32], scale[float64]); err == nil {
		scale(a, factor)
	}
}

func scale[T apoops.Float](a *tensor.Dense, factor float64) {
	x, f := apoops.Elements[T](a), T(factor)
	par.For(len(x), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i] *= f
		}
	})
}

// Copy copies the elements of src to dst, both of one size and of one dtype: one of
// apoops.Float, Uint64 or Uint16.
func Copy(dst, src *tensor.Dense) {
	switch dst.Dtype() {
	case tensor.Uint64:
		copy(dst.Uint64s(), src.Uint64s())
		return
	case tensor.Uint16:
		copy(dst.Uint16s(), src.Uint16s())
		return
	}
	if elements, err := apoops.Choose(dst.Dtype(), copyElements[float32], copyElements[float64]); err == nil {
		elements(dst, src)
	}
}

// Swap exchanges the elements of two arrays of one size and one dtype of apoops.Float.
func Swap(a, b *tensor.Dense) {
	if swap, err := apoops.Choose(a.Dtype(), swap[float32], swap[float64]); err == nil {
		swap(a, b)
	}
}

func swap[T apoops.Float](a, b *tensor.Dense) {
	x, y := apoops.Elements[T](a), apoops.Elements[T](b)
	par.For(len(x), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i], y[i] = y[i], x[i]
		}
	})
}

func copyElements[T apoops.Float](dst, src *tensor.Dense) {
	copy(apoops.Elements[T](dst), apoops.Elements[T](src))
}
