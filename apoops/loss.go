package apoops

import (
	"slices"
	"sync/atomic"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// rowLoss describes a loss of two operands x and y of equal shape: the mean of a
// function of their rows. A row is the elements of one index of the first axis; a
// vector of N counts as N×1. One of the operands is a constant.
type rowLoss[T Float] struct {
	label    string
	operands [2]string
	of       int  // the operand that has a gradient
	matrix   bool // only matrices are allowed
	// allowed reports whether y may have an element, nil for all; want describes
	// those.
	allowed func(y T) bool
	want    string
	// value computes the function of each of the len(loss) rows of x and y.
	value func(loss []float64, found []tilt, x, y []T)
	// gradient computes scale times the gradient of each of the len(found) rows. Where
	// keeps is set it needs what value found out about them.
	gradient func(d, x, y []T, found []tilt, scale float64)
	keeps    bool
}

// meanOfRows applies the loss of the first operand's dtype.
func meanOfRows(l32 rowLoss[float32], l64 rowLoss[float64], x, y *gorgonia.Node) (*gorgonia.Node, error) {
	for i, n := range []*gorgonia.Node{x, y} {
		if n != nil && n.Dtype() == tensor.Int {
			return nil, errors.Errorf("apoops: %s: %s (%s) is of integers", l32.label, l32.operands[i], n.Name())
		}
	}
	return applyFloat(&rowMean[float32]{rowLoss: l32}, &rowMean[float64]{rowLoss: l64}, x, y)
}

// rowMean is the kernel of a rowLoss.
type rowMean[T Float] struct {
	rowLoss[T]
	a    *args[T]
	cols int
	// By row: the loss, so that the sum does not depend on the cores, and what the
	// gradient needs.
	loss  []float64
	found []tilt
	bad   atomic.Bool // an element of y is not allowed
	body  func(lo, hi int)
}

func (k *rowMean[T]) name() string     { return k.label }
func (k *rowMean[T]) wrt() []bool      { return []bool{k.of == 0, k.of == 1} }
func (k *rowMean[T]) clone() kernel[T] { return &rowMean[T]{rowLoss: k.rowLoss} }

func (k *rowMean[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	for i, s := range in {
		if k.matrix && s.Dims() != 2 {
			return nil, wantMatrix(s, k.operands[i])
		}
		if s.Dims() < 1 || s.TotalSize() < 1 {
			return nil, errors.Errorf("%s of shape %v has no rows", k.operands[i], s)
		}
	}
	if !sameRows(in[0], in[1]) {
		return nil, ErrShape.Errorf("%s has shape %v, %s %v", k.operands[0], in[0], k.operands[1], in[1])
	}
	return tensor.ScalarShape(), nil
}

func (k *rowMean[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			from, to := lo*k.cols, hi*k.cols
			if k.allowed != nil && slices.ContainsFunc(k.a.in[1][from:to], func(v T) bool { return !k.allowed(v) }) {
				k.bad.Store(true)
				return
			}
			k.value(k.loss[lo:hi], k.found[lo:hi], k.a.in[0][from:to], k.a.in[1][from:to])
		}
	}
	rows := a.shapes[0][0]
	k.a, k.cols, k.loss, k.found = a, len(a.in[0])/rows, sized(k.loss, rows), sized(k.found, rows)
	k.bad.Store(false)
	par.For(rows, par.RowGrain(k.cols), k.body)
	if k.bad.Load() {
		at := slices.IndexFunc(a.in[1], func(v T) bool { return !k.allowed(v) })
		return ErrTarget.Errorf("element %d of %s, in row %d, is %v: it must be %s", at, k.operands[1], at/k.cols, a.in[1][at], k.want)
	}
	a.out[0] = T(mean(k.loss, rows))
	return nil
}

func (k *rowMean[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	operands := gorgonia.Nodes{in[0], in[1], dout}
	if k.keeps {
		operands = append(operands, out)
	}
	d, err := apply(&rowMeanGrad[T]{rowLoss: k.rowLoss, mean: k}, operands...)
	ret := make(gorgonia.Nodes, 2)
	ret[k.of] = d
	return ret, err
}

// rowMeanGrad is the gradient of rowMean; its operands are x, y, the gradient of the mean
// and, where the loss keeps what it found, the mean, which has run before by that.
type rowMeanGrad[T Float] struct {
	noGradient[T]
	rowLoss[T]
	mean  *rowMean[T]
	found []tilt // those of the mean, or without content
	a     *args[T]
	cols  int
	scale float64
	body  func(lo, hi int)
}

func (k *rowMeanGrad[T]) name() string     { return k.label + "Grad" }
func (k *rowMeanGrad[T]) clone() kernel[T] { return &rowMeanGrad[T]{rowLoss: k.rowLoss, mean: k.mean} }

func (k *rowMeanGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[k.of].Clone(), nil
}

func (k *rowMeanGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			from, to := lo*k.cols, hi*k.cols
			k.gradient(k.a.out[from:to], k.a.in[0][from:to], k.a.in[1][from:to], k.found[lo:hi], k.scale)
		}
	}
	rows := a.shapes[0][0]
	k.a, k.cols, k.scale = a, len(a.out)/rows, float64(a.in[2][0])/float64(rows)
	found := k.mean.found
	if !k.keeps {
		found = sized(k.found, rows)
	}
	k.found = found
	par.For(rows, par.RowGrain(k.cols), k.body)
	return nil
}

// mean is the sum of v, added up in order, by n.
func mean(v []float64, n int) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(n)
}

// SquaredError is half the squared distance of the outputs y from the targets
// t, averaged over the N examples:
//
//	1/N Σ_i ½ Σ_j (y_ij - t_ij)²
//
// y and t have the same shape, N×…, where a vector of N counts as N×1; the result is
// a scalar. The gradient (y-t)/N is with respect to y alone: targets are constants.
func SquaredError(y, t *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(squaredError[float32](), squaredError[float64](), y, t)
}

// SquaredDivergence is half the squared distance of the outputs new from the
// outputs old, averaged over the N examples:
//
//	1/N Σ_i ½ ‖new_i - old_i‖²
//
// Both have the same shape, N×…; the result is a scalar. The gradient
// (new-old)/N is with respect to new alone: old is a constant.
func SquaredDivergence(old, new *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(squaredDivergence[float32](), squaredDivergence[float64](), old, new)
}

func squaredError[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "squaredError", operands: [2]string{"y", "t"}, of: 0,
		value: squaredRows[T], gradient: squaredGradient[T],
	}
}

func squaredDivergence[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "squaredDivergence", operands: [2]string{"old", "new"}, of: 1,
		value:    squaredRows[T],
		gradient: func(d, old, new []T, found []tilt, scale float64) { squaredGradient(d, new, old, found, scale) },
	}
}

func squaredRows[T Float](loss []float64, _ []tilt, y, t []T) {
	cols := len(y) / len(loss)
	for i := range loss {
		row, target := y[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		var sum float64
		for j, v := range row {
			d := float64(v) - float64(target[j])
			sum += d * d
		}
		loss[i] = sum / 2
	}
}

func squaredGradient[T Float](d, y, t []T, _ []tilt, scale float64) {
	y, t = y[:len(d)], t[:len(d)]
	for j := range d {
		d[j] = T(scale * (float64(y[j]) - float64(t[j])))
	}
}

// BernoulliCrossEntropy is the cross-entropy of D independent outputs in
// [0, 1], summed over the outputs and averaged over the N examples:
//
//	1/N Σ_i Σ_j -t_ij ln σ(z_ij) - (1-t_ij) ln(1-σ(z_ij))
//
// computed as max(z,0) - z·t + ln(1+exp(-|z|)). The logits z and the targets t have
// the same shape, N×…, where a vector of N counts as N×1, and the same dtype; the
// result is a scalar. The gradient (σ(z)-t)/N is with respect to the logits alone:
// targets are constants. A target outside [0, 1], NaN too, is an error when the graph
// is run.
func BernoulliCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(bernoulliCE[float32](), bernoulliCE[float64](), logits, targets)
}

func bernoulliCE[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "bernoulliCrossEntropy", operands: [2]string{"logits", "targets"}, of: 0,
		allowed: func(t T) bool { return t >= 0 && t <= 1 }, want: "in [0, 1]",
		value: bernoulliCERows[T], gradient: bernoulliCEGradient[T],
	}
}

func bernoulliCERows[T Float](loss []float64, _ []tilt, z, t []T) {
	var buf vmath.Block
	cols := len(z) / len(loss)
	for i := range loss {
		row, target := z[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		var sum float64
		for len(row) > 0 {
			b := vmath.ExpMinusAbs(&buf, row)
			for j := range b {
				v := float64(row[j])
				sum += max(v, 0) - v*float64(target[j])
			}
			sum += vmath.SumLog1p(b)
			row, target = row[len(b):], target[len(b):]
		}
		loss[i] = sum
	}
}

func bernoulliCEGradient[T Float](d, z, t []T, _ []tilt, scale float64) {
	var buf vmath.Block
	for len(z) > 0 {
		b := vmath.SigmoidBlock(&buf, z)
		for j, p := range b {
			d[j] = T(scale * (p - float64(t[j])))
		}
		d, z, t = d[len(b):], z[len(b):], t[len(b):]
	}
}
