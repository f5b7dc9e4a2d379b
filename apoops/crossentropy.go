package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

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
	return pick(&crossEntropy[float32]{}, &crossEntropy[float64]{}, logits, targets)
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
func (k *crossEntropy[T]) fresh() kernel[T] { return &crossEntropy[T]{} }

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
	par.For(rows, rowGrain(k.cols), k.body)
	a.out[0] = T(mean(k.loss))
	return nil
}

func (k *crossEntropy[T]) rows(lo, hi int) {
	var buf scratch
	for i := lo; i < hi; i++ {
		z := k.a.in[0][i*k.cols : (i+1)*k.cols]
		m := rowMax(z)
		if math.IsInf(m, -1) {
			k.loss[i] = math.Inf(1)
			continue
		}
		k.loss[i] = (m - float64(z[k.a.ints[i]])) + math.Log(sumExp(&buf, z, m))
	}
}

func (k *crossEntropy[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := apply(&crossEntropyGrad[T]{}, in[0], in[1], dout)
	return gorgonia.Nodes{dz, nil}, err
}

// crossEntropyGrad is the kernel dz = (p - onehot(t))·dout/N; its operands are
// z, t and dout.
type crossEntropyGrad[T Float] struct {
	leaf[T]
	a     *args[T]
	cols  int
	scale float64
	body  func(lo, hi int)
}

func (k *crossEntropyGrad[T]) name() string     { return "softmaxCrossEntropyGrad" }
func (k *crossEntropyGrad[T]) fresh() kernel[T] { return &crossEntropyGrad[T]{} }

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
	par.For(rows, rowGrain(k.cols), k.body)
	return nil
}

func (k *crossEntropyGrad[T]) rows(lo, hi int) {
	var buf scratch
	for i := lo; i < hi; i++ {
		z, dz := k.a.in[0][i*k.cols:(i+1)*k.cols], k.a.out[i*k.cols:(i+1)*k.cols]
		m := rowMax(z)
		if math.IsInf(m, -1) {
			clear(dz)
			continue
		}
		sum := expRow(&buf, dz, z, m)
		t := k.a.ints[i]
		atTarget := T(k.scale * (float64(dz[t]) - sum) / sum)
		f := T(k.scale / sum)
		for j := range dz {
			dz[j] *= f
		}
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
