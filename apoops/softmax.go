package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Softmax turns each row of x, a row being the elements along the last axis,
// into probabilities:
//
//	y_j = exp(x_j) / Σ_k exp(x_k)
//
// x is of any shape but a scalar's. An element of -Inf (a mask) gets 0, and so does
// every element of a row whose elements are all -Inf, whose gradient is zero. A row
// with a NaN or +Inf becomes NaN. x may be as large as its dtype allows.
func Softmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&softmax[float32]{}, &softmax[float64]{}, x)
}

// LogSoftmax is the logarithm of Softmax, computed without forming it:
//
//	y_j = x_j - ln Σ_k exp(x_k)
//
// An element of -Inf stays -Inf. A row whose elements are all -Inf stays as it is and
// its gradient is zero.
func LogSoftmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&softmax[float32]{log: true}, &softmax[float64]{log: true}, x)
}

// SoftmaxAlong is Softmax with rows along the given axis, counted from 0.
func SoftmaxAlong(x *gorgonia.Node, axis int) (*gorgonia.Node, error) {
	return alongAxis(x, axis, Softmax)
}

// LogSoftmaxAlong is LogSoftmax with rows along the given axis, counted from 0.
func LogSoftmaxAlong(x *gorgonia.Node, axis int) (*gorgonia.Node, error) {
	return alongAxis(x, axis, LogSoftmax)
}

// softmax is the kernel of Softmax and LogSoftmax.
type softmax[T Float] struct {
	log  bool
	a    *args[T]
	cols int
	body func(lo, hi int)
}

func (k *softmax[T]) name() string {
	if k.log {
		return "logSoftmax"
	}
	return "softmax"
}

func (k *softmax[T]) wrt() []bool      { return []bool{true} }
func (k *softmax[T]) clone() kernel[T] { return &softmax[T]{log: k.log} }

func (k *softmax[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return wantRows(in[0]) }

// wantRows returns the shape of x, which must have rows.
func wantRows(x tensor.Shape) (tensor.Shape, error) {
	if x.Dims() < 1 || x[x.Dims()-1] < 1 {
		return nil, errors.Errorf("x of shape %v has no rows", x)
	}
	return x.Clone(), nil
}

func (k *softmax[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a, k.cols = a, lastAxis(a.shapes[0])
	par.For(len(a.out)/k.cols, par.RowGrain(k.cols), k.body)
	return nil
}

func (k *softmax[T]) rows(lo, hi int) {
	var buf vmath.Block
	for i := lo; i < hi; i++ {
		y, x := k.a.out[i*k.cols:(i+1)*k.cols], k.a.in[0][i*k.cols:(i+1)*k.cols]
		if k.log {
			logSoftmaxRow(&buf, y, x)
		} else {
			softmaxRow(&buf, y, x, 1)
		}
	}
}

func (k *softmax[T]) grad(_ gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&softmaxGrad[T]{log: k.log}, out, dout)
	return gorgonia.Nodes{dx}, err
}

// softmaxGrad is the kernel dx = y∘(dy - <y, dy>) of Softmax or, with y the
// logarithms, dx = dy - exp(y)·Σ dy of LogSoftmax.
type softmaxGrad[T Float] struct {
	noGradient[T]
	log  bool
	a    *args[T]
	cols int
	body func(lo, hi int)
}

func (k *softmaxGrad[T]) clone() kernel[T] { return &softmaxGrad[T]{log: k.log} }

func (k *softmaxGrad[T]) name() string {
	if k.log {
		return "logSoftmaxGrad"
	}
	return "softmaxGrad"
}

func (k *softmaxGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *softmaxGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a, k.cols = a, lastAxis(a.shapes[0])
	par.For(len(a.out)/k.cols, par.RowGrain(k.cols), k.body)
	return nil
}

func (k *softmaxGrad[T]) rows(lo, hi int) {
	var buf vmath.Block
	for i := lo; i < hi; i++ {
		from, to := i*k.cols, (i+1)*k.cols
		dx, y, dy := k.a.out[from:to], k.a.in[0][from:to], k.a.in[1][from:to]
		if k.log {
			logSoftmaxGradRow(&buf, dx, y, dy)
		} else {
			simd.SoftmaxGrad(dx, y, dy)
		}
	}
}

// LogSumExp is ln Σ_j exp(x_j) of each row of the matrix x, a vector: what LogSoftmax
// takes off a row. A row whose elements are all -Inf has -Inf, and its gradient is zero.
func LogSumExp(x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&logSumExp[float32]{}, &logSumExp[float64]{}, x)
}

// logSumExp is the kernel of LogSumExp.
type logSumExp[T Float] struct {
	a    *args[T]
	body func(lo, hi int)
}

func (k *logSumExp[T]) name() string     { return "logSumExp" }
func (k *logSumExp[T]) wrt() []bool      { return []bool{true} }
func (k *logSumExp[T]) clone() kernel[T] { return &logSumExp[T]{} }

func (k *logSumExp[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "x"); err != nil {
		return nil, err
	}
	_, err := wantRows(in[0])
	return tensor.Shape{in[0][0]}, err
}

func (k *logSumExp[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	par.For(len(a.out), par.RowGrain(lastAxis(a.shapes[0])), k.body)
	return nil
}

func (k *logSumExp[T]) rows(lo, hi int) {
	var buf vmath.Block
	cols := lastAxis(k.a.shapes[0])
	for i := lo; i < hi; i++ {
		k.a.out[i] = T(vmath.LogSumExp(&buf, k.a.in[0][i*cols:(i+1)*cols]))
	}
}

func (k *logSumExp[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&logSumExpGrad[T]{}, in[0], dout)
	return gorgonia.Nodes{dx}, err
}

// logSumExpGrad is the kernel dx = dy·softmax(x).
type logSumExpGrad[T Float] struct {
	noGradient[T]
	a    *args[T]
	body func(lo, hi int)
}

func (k *logSumExpGrad[T]) name() string     { return "logSumExpGrad" }
func (k *logSumExpGrad[T]) clone() kernel[T] { return &logSumExpGrad[T]{} }

func (k *logSumExpGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *logSumExpGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	par.For(a.shapes[0][0], par.RowGrain(lastAxis(a.shapes[0])), k.body)
	return nil
}

func (k *logSumExpGrad[T]) rows(lo, hi int) {
	var buf vmath.Block
	cols := lastAxis(k.a.shapes[0])
	for i := lo; i < hi; i++ {
		softmaxRow(&buf, k.a.out[i*cols:(i+1)*cols], k.a.in[0][i*cols:(i+1)*cols], float64(k.a.in[1][i]))
	}
}

// softmaxRow sets y = scale·softmax(x).
func softmaxRow[T Float](buf *vmath.Block, y, x []T, scale float64) {
	m := vmath.RowMax(x)
	if math.IsInf(m, -1) {
		clear(y)
		return
	}
	simd.Scale(y, T(scale/vmath.ExpRow(buf, y, x, m)))
}

func logSoftmaxRow[T Float](buf *vmath.Block, y, x []T) {
	l := vmath.LogSumExp(buf, x)
	if math.IsInf(l, -1) {
		copy(y, x)
		return
	}
	for j, v := range x {
		y[j] = T(float64(v) - l)
	}
}

func logSoftmaxGradRow[T Float](buf *vmath.Block, dx, y, dy []T) {
	if math.IsInf(float64(y[0]), -1) && math.IsInf(vmath.RowMax(y), -1) {
		clear(dx)
		return
	}
	var sum float64
	for _, v := range dy {
		sum += float64(v)
	}
	for len(y) > 0 {
		b := vmath.ExpBlock(buf, y, 0)
		for j, p := range b {
			dx[j] = T(float64(dy[j]) - p*sum)
		}
		dx, y, dy = dx[len(b):], y[len(b):], dy[len(b):]
	}
}

func lastAxis(s tensor.Shape) int { return s[s.Dims()-1] }
