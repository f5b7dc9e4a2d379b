package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// FilterMatrix turns filters, O×C×kh×kw, and a bias of O elements in any shape into
// the weights that Conv2D takes, (C·kh·kw+1)×O with the bias as the last row. A
// nil bias leaves that row out, see Conv.NoBias.
func FilterMatrix(filters, bias *gorgonia.Node) (*gorgonia.Node, error) {
	in := gorgonia.Nodes{filters}
	if bias != nil {
		in = append(in, bias)
	}
	return applyFloat(&filterMatrix[float32]{}, &filterMatrix[float64]{}, in...)
}

// filterMatrix is the kernel of FilterMatrix.
type filterMatrix[T Float] struct {
	a    *args[T]
	body func(lo, hi int)
}

func (k *filterMatrix[T]) name() string     { return "filterMatrix" }
func (k *filterMatrix[T]) wrt() []bool      { return []bool{true, true} }
func (k *filterMatrix[T]) clone() kernel[T] { return &filterMatrix[T]{} }

func (k *filterMatrix[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	f := in[0]
	if f.Dims() != 4 {
		return nil, errors.Errorf("filters of shape %v are not outputs×channels×rows×columns", f)
	}
	rows := f.TotalSize() / f[0]
	if len(in) > 1 {
		if in[1].TotalSize() != f[0] {
			return nil, errors.Errorf("bias of shape %v for filters of shape %v", in[1], f)
		}
		rows++
	}
	return tensor.Shape{rows, f[0]}, nil
}

func (k *filterMatrix[T]) run(a *args[T]) error {
	outputs := a.shapes[0][0]
	rows := len(a.in[0]) / outputs
	if k.body == nil {
		k.body = func(lo, hi int) { transpose(k.a.out, k.a.in[0], outputs, rows, lo, hi) }
	}
	k.a = a
	par.For(rows, transposeGrain, k.body)
	if len(a.in) > 1 {
		copy(a.out[len(a.in[0]):], a.in[1])
	}
	return nil
}

func (k *filterMatrix[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	df, err := apply(&filterGrad[T]{to: in[0].Shape().Clone()}, dout)
	if err != nil || len(in) == 1 {
		return gorgonia.Nodes{df}, err
	}
	db, err := Segment(dout, in[0].Shape().TotalSize(), in[1].Shape()...)
	return gorgonia.Nodes{df, db}, err
}

// filterGrad is the kernel of the gradient with respect to filters of shape to: the
// transposed gradient with respect to their matrix, without the row of the bias.
type filterGrad[T Float] struct {
	noGradient[T]
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *filterGrad[T]) name() string     { return "filterGrad" }
func (k *filterGrad[T]) clone() kernel[T] { return &filterGrad[T]{to: k.to} }

func (k *filterGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *filterGrad[T]) run(a *args[T]) error {
	outputs := k.to[0]
	rows := len(a.out) / outputs
	if k.body == nil {
		k.body = func(lo, hi int) { transpose(k.a.out, k.a.in[0], rows, outputs, lo, hi) }
	}
	k.a = a
	par.For(outputs, transposeGrain, k.body)
	return nil
}

// transposeGrain is the number of rows of the result that make a chunk of parallel
// work.
const transposeGrain = 16

// transpose sets the rows [lo, hi) of dst, the transpose of the n×m matrix src.
func transpose[T Float](dst, src []T, n, m, lo, hi int) {
	for j := range n {
		for i := lo; i < hi; i++ {
			dst[i*n+j] = src[j*m+i]
		}
	}
}
