package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
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

// ConvBiasGradientOf are the factors of the convolution whose bias, an operand of
// FilterMatrix, n is the gradient by; Y is as of FusedFactors. ok is false for all
// other nodes.
func ConvBiasGradientOf(n *gorgonia.Node) (f Factors, ok bool) {
	k, ok := kernelOf(n.Op()).(interface{ from() int })
	if !ok {
		return Factors{}, false
	}
	matrix := Operands(n)[0]
	f, ok = FusedFactors(matrix)
	s, m := matrix.Shape(), n.Shape().TotalSize()
	return f, ok && f.Conv != nil && f.Bias && m == s[1] && k.from() == (s[0]-1)*m
}

func (k *segment[T]) from() int { return k.lo }

// ConvBiasGradient is what ConvBiasGradientOf has been given, of that shape, from the
// factors alone, without the gradient by the filters. It has no gradient.
func ConvBiasGradient(f Factors, shape ...int) (*gorgonia.Node, error) {
	in := gorgonia.Nodes{f.S}
	act := Identity
	if f.Y != nil {
		in, act = append(in, f.Y), f.Conv.Activation
	}
	to := tensor.Shape(shape).Clone()
	return applyFloat(&channelSums[float32]{to: to, act: act}, &channelSums[float64]{to: to, act: act}, in...)
}

// channelSums is the kernel of ConvBiasGradient.
type channelSums[T Float] struct {
	noGradient[T]
	to   tensor.Shape
	act  Activation
	a    *args[T]
	body func(lo, hi int)
}

func (k *channelSums[T]) name() string     { return "channelSums" }
func (k *channelSums[T]) clone() kernel[T] { return &channelSums[T]{to: k.to, act: k.act} }

func (k *channelSums[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantImages(in[0], "s"); err != nil {
		return nil, err
	}
	if k.to.TotalSize() != in[0][1] {
		return nil, ErrShape.Errorf("s of shape %v for a bias of shape %v", in[0], k.to)
	}
	return k.to.Clone(), sameShapes(in[0], in[1:])
}

func (k *channelSums[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.channels
	}
	k.a = a
	s := a.shapes[0]
	par.For(s[1], par.RowGrain(s[0]*s[2]*s[3]), k.body)
	return nil
}

// channels sums the channels [lo, hi).
func (k *channelSums[T]) channels(lo, hi int) {
	s := k.a.shapes[0]
	n, m, positions := s[0], s[1], s[2]*s[3]
	dz := scratch.Get[T](positions)
	for o := lo; o < hi; o++ {
		var sum float64
		for i := range n {
			from, to := (i*m+o)*positions, (i*m+o+1)*positions
			dy := k.a.in[0][from:to]
			if k.act != Identity {
				backward(k.act, dz, k.a.in[1][from:to], dy)
				dy = dz
			}
			sum += vmath.Sum64(dy)
		}
		k.a.out[o] = T(sum)
	}
	scratch.Put(dz)
}
