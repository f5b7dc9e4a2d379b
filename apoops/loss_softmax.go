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

// SoftmaxCrossEntropy is the negative log-likelihood of the classes t under
// softmax(z), averaged over the N examples:
//
//	1/N Σ_i -ln p_i,t(i)    with p_i = softmax(z_i)
//
// The logits z are N×C, the targets a vector of N numbers of tensor.Int in
// [0, C); the result is a scalar. The gradient (p - onehot(t))/N is with
// respect to the logits alone. An example whose logits are all -Inf costs +Inf
// and has a zero gradient. A target outside [0, C) is an error when the graph
// is run.
func SoftmaxCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if targets == nil {
		return nil, errors.New("apoops: softmaxCrossEntropy: targets is nil")
	}
	if dt := targets.Dtype(); dt != tensor.Int {
		return nil, ErrDtype.Errorf("apoops: softmaxCrossEntropy: targets (%s) is of dtype %v, not %v", targets.Name(), dt, tensor.Int)
	}
	return applyFloat(&crossEntropy[float32]{}, &crossEntropy[float64]{}, logits, targets)
}

// crossEntropy is the kernel of SoftmaxCrossEntropy.
type crossEntropy[T Float] struct {
	a    *args[T]
	cols int
	loss []float64 // by row, so that the sum does not depend on the cores
	body func(lo, hi int)
}

func (k *crossEntropy[T]) name() string     { return "softmaxCrossEntropy" }
func (k *crossEntropy[T]) wrt() []bool      { return []bool{true, false} }
func (k *crossEntropy[T]) clone() kernel[T] { return &crossEntropy[T]{} }

func (k *crossEntropy[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	z, t := in[0], in[1]
	if err := wantMatrix(z, "logits"); err != nil {
		return nil, err
	}
	if z.TotalSize() < 1 {
		return nil, errors.Errorf("logits of shape %v are empty", z)
	}
	if t.Dims() != 1 || t[0] != z[0] {
		return nil, ErrShape.Errorf("targets has shape %v; logits of shape %v need (%d)", t, z, z[0])
	}
	return tensor.ScalarShape(), nil
}

func (k *crossEntropy[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	rows := a.shapes[0][0]
	k.a, k.cols, k.loss = a, a.shapes[0][1], sized(k.loss, rows)
	if err := checkClasses(a.ints, k.cols); err != nil {
		return err
	}
	par.For(rows, par.RowGrain(k.cols), k.body)
	a.out[0] = T(mean(k.loss, rows))
	return nil
}

func (k *crossEntropy[T]) rows(lo, hi int) {
	var buf vmath.Block
	for i := lo; i < hi; i++ {
		z := k.a.in[0][i*k.cols : (i+1)*k.cols]
		m := vmath.RowMax(z)
		if math.IsInf(m, -1) {
			k.loss[i] = math.Inf(1)
			continue
		}
		k.loss[i] = (m - float64(z[k.a.ints[i]])) + math.Log(vmath.SumExp(&buf, z, m))
	}
}

func (k *crossEntropy[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := apply(&crossEntropyGrad[T]{}, in[0], in[1], dout)
	return gorgonia.Nodes{dz, nil}, err
}

// crossEntropyGrad is the kernel dz = (p - onehot(t))·dout/N; its operands are
// z, t and dout.
type crossEntropyGrad[T Float] struct {
	noGradient[T]
	a     *args[T]
	cols  int
	scale float64
	body  func(lo, hi int)
}

func (k *crossEntropyGrad[T]) name() string     { return "softmaxCrossEntropyGrad" }
func (k *crossEntropyGrad[T]) clone() kernel[T] { return &crossEntropyGrad[T]{} }

func (k *crossEntropyGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), nil
}

func (k *crossEntropyGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	rows := a.shapes[0][0]
	k.a, k.cols, k.scale = a, a.shapes[0][1], float64(a.in[2][0])/float64(rows)
	if err := checkClasses(a.ints, k.cols); err != nil {
		return err
	}
	par.For(rows, par.RowGrain(k.cols), k.body)
	return nil
}

func (k *crossEntropyGrad[T]) rows(lo, hi int) {
	var buf vmath.Block
	for i := lo; i < hi; i++ {
		z, dz := k.a.in[0][i*k.cols:(i+1)*k.cols], k.a.out[i*k.cols:(i+1)*k.cols]
		m := vmath.RowMax(z)
		if math.IsInf(m, -1) {
			clear(dz)
			continue
		}
		sum := vmath.ExpRow(&buf, dz, z, m)
		t := k.a.ints[i]
		atTarget := T(k.scale * (float64(dz[t]) - sum) / sum)
		simd.Scale(dz, T(k.scale/sum))
		dz[t] = atTarget
	}
}

// checkClasses looks for a target that is not the number of a class.
func checkClasses(targets []int, classes int) error {
	for i, t := range targets {
		if t < 0 || t >= classes {
			return ErrTarget.Errorf("the target of row %d is %d, not in [0, %d)", i, t, classes)
		}
	}
	return nil
}

// SoftCrossEntropy is the cross-entropy of softmax(z) with targets that are numbers
// for each class, such as one-hot rows or probabilities, averaged over the N
// examples:
//
//	1/N Σ_i Σ_j -t_ij ln p_ij    with p_i = softmax(z_i)
//
// The logits z and the targets t are N×C and of one dtype; the result is a scalar.
// The rows of t need not add up to 1. A target of exactly 0 contributes 0 even where
// p is 0. The gradient (p_ij·Σ_k t_ik - t_ij)/N is with respect to the logits alone:
// targets are constants. An example whose logits are all -Inf costs +Inf and has a
// zero gradient.
func SoftCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(softCE[float32](), softCE[float64](), logits, targets)
}

// SoftmaxNLL is the negative log-likelihood, averaged over the N examples, of the
// family with natural parameters z and statistics t:
//
//	1/N Σ_i (ln Σ_j exp(z_ij) - Σ_j t_ij·z_ij)
//
// It is SoftCrossEntropy where the rows of t add up to 1, and has the gradient
// (softmax(z) - t)/N where they do not.
func SoftmaxNLL(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(softmaxNLL[float32](), softmaxNLL[float64](), logits, targets)
}

func softCE[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "softCrossEntropy", operands: [2]string{"logits", "targets"}, of: 0, matrix: true,
		value:    softCERows[T],
		gradient: func(d, z, t []T, found []tilt, scale float64) { softCEGradient(d, z, t, len(found), scale, false) },
	}
}

func softmaxNLL[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "softmaxNLL", operands: [2]string{"logits", "targets"}, of: 0, matrix: true,
		value:    softmaxNLLRows[T],
		gradient: func(d, z, t []T, found []tilt, scale float64) { softCEGradient(d, z, t, len(found), scale, true) },
	}
}

func softmaxNLLRows[T Float](loss []float64, _ []tilt, z, t []T) {
	var buf vmath.Block
	cols := len(z) / len(loss)
	for i := range loss {
		row, target := z[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		m := vmath.RowMax(row)
		sum := math.Log(vmath.SumExp(&buf, row, m)) // of logits that are less by m
		for j, w := range target {
			if w != 0 {
				sum -= float64(w) * (float64(row[j]) - m)
			}
		}
		loss[i] = sum + m*(1-vmath.Sum64(target))
		if math.IsInf(m, -1) {
			loss[i] = math.Inf(1)
		}
	}
}

func softCERows[T Float](loss []float64, _ []tilt, z, t []T) {
	var buf vmath.Block
	cols := len(z) / len(loss)
	for i := range loss {
		row, target := z[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		m := vmath.RowMax(row)
		rest := math.Log(vmath.SumExp(&buf, row, m))
		var sum float64
		for j, w := range target {
			if w != 0 {
				sum += float64(w) * ((m - float64(row[j])) + rest)
			}
		}
		if math.IsInf(m, -1) {
			sum = math.Inf(1)
		}
		loss[i] = sum
	}
}

// softCEGradient is the gradient of either; whole has the softmax count once for each
// row, whatever its targets add up to.
func softCEGradient[T Float](d, z, t []T, rows int, scale float64, whole bool) {
	var buf vmath.Block
	cols := len(z) / rows
	for i := range rows {
		from, to := i*cols, (i+1)*cols
		row, target, dz := z[from:to], t[from:to], d[from:to]
		m := vmath.RowMax(row)
		if math.IsInf(m, -1) {
			clear(dz)
			continue
		}
		weight := scale / vmath.ExpRow(&buf, dz, row, m)
		if !whole {
			weight *= vmath.Sum64(target)
		}
		for j, w := range target {
			dz[j] = T(weight*float64(dz[j]) - scale*float64(w))
		}
	}
}
