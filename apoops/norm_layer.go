package apoops

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// LayerNorm normalises each row of x by its mean and variance (Ba et al. 2016):
//
//	y = gain·(x - μ)/√(σ² + epsilon) + shift
//
// A row has the d elements along the last axis; gain and shift are vectors of d. σ²
// divides by d. The gradients come from one pass over x, which takes μ and σ² again.
func LayerNorm(x, gain, shift *gorgonia.Node, epsilon float64) (*gorgonia.Node, error) {
	if !(epsilon >= 0) || math.IsInf(epsilon, 1) {
		return nil, errors.Errorf("apoops: layer norm: epsilon %v is not a number from 0 on", epsilon)
	}
	return applyFloat(&layerNorm[float32]{epsilon: epsilon}, &layerNorm[float64]{epsilon: epsilon}, x, gain, shift)
}

// layerNorm is the kernel of LayerNorm.
type layerNorm[T Float] struct {
	epsilon float64
	a       *args[T]
	body    func(lo, hi int)
}

func (k *layerNorm[T]) name() string     { return fmt.Sprintf("layerNorm(%v)", k.epsilon) }
func (k *layerNorm[T]) wrt() []bool      { return []bool{true, true, true} }
func (k *layerNorm[T]) clone() kernel[T] { return &layerNorm[T]{epsilon: k.epsilon} }

func (k *layerNorm[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	y, err := wantRows(in[0])
	if err != nil {
		return nil, err
	}
	for i, operand := range []string{"gain", "shift"} {
		if s := in[1+i]; s.Dims() != 1 || s[0] != lastAxis(y) {
			return nil, ErrShape.Errorf("%s of shape %v is not a vector of the %d elements of a row", operand, s, lastAxis(y))
		}
	}
	return y, nil
}

func (k *layerNorm[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	d := len(a.in[1])
	par.For(len(a.out)/d, par.RowGrain(d), k.body)
	return nil
}

func (k *layerNorm[T]) rows(lo, hi int) {
	gain, shift := k.a.in[1], k.a.in[2]
	d := len(gain)
	for i := lo; i < hi; i++ {
		x, y := k.a.in[0][i*d:(i+1)*d], k.a.out[i*d:(i+1)*d]
		mean, inv := momentsOfRow(x, k.epsilon)
		scaleRow(y, x, gain, shift, mean, inv)
	}
}

// momentsOfRow is the mean of a row and 1/√(σ² + epsilon). Sums are of differences from
// the first element, in float64: one pass over the row is accurate.
func momentsOfRow[T Float](x []T, epsilon float64) (mean, inv T) {
	n := float64(len(x))
	sum, square := squares(x, float64(x[0]))
	variance := (square - sum*sum/n) / n
	if variance < 0 {
		variance = 0
	}
	return T(float64(x[0]) + sum/n), T(1 / math.Sqrt(variance+epsilon))
}

// scaleRow sets y = gain·(x - mean)·inv + shift.
func scaleRow[T Float](y, x, gain, shift []T, mean, inv T) {
	x, gain, shift = x[:len(y)], gain[:len(y)], shift[:len(y)]
	i := 0
	for ; i+4 <= len(y); i += 4 {
		u, v, g, s := y[i:i+4:i+4], x[i:i+4:i+4], gain[i:i+4:i+4], shift[i:i+4:i+4]
		u[0] = (v[0]-mean)*inv*g[0] + s[0]
		u[1] = (v[1]-mean)*inv*g[1] + s[1]
		u[2] = (v[2]-mean)*inv*g[2] + s[2]
		u[3] = (v[3]-mean)*inv*g[3] + s[3]
	}
	for ; i < len(y); i++ {
		y[i] = (x[i]-mean)*inv*gain[i] + shift[i]
	}
}

func (k *layerNorm[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	d := &layerNormGrad[T]{epsilon: k.epsilon}
	dx, err := apply[T](d, in[0], in[1], dout)
	if err != nil {
		return nil, err
	}
	all := gorgonia.Nodes{dx}
	for i, name := range []string{"layerNormGain", "layerNormShift"} {
		// The sums are read when dx's node has been run.
		dw, err := apply(&sideResult[T]{of: name, from: d, i: i, shape: in[1+i].Shape()}, dx)
		if err != nil {
			return nil, err
		}
		all = append(all, dw)
	}
	return all, nil
}
