package apoops

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
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
		simd.Normalise(y, x, gain, shift, mean, inv)
	}
}

// momentsOfRow is the mean of a row and 1/√(σ² + epsilon). Sums are of differences from
// the first element, in float64: one pass over the row is accurate.
func momentsOfRow[T Float](x []T, epsilon float64) (mean, inv T) {
	n := float64(len(x))
	sum, square := simd.Squares(x, float64(x[0]))
	variance := (square - sum*sum/n) / n
	if variance < 0 {
		variance = 0
	}
	return T(float64(x[0]) + sum/n), T(1 / math.Sqrt(variance+epsilon))
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

// layerNormGrad is the kernel of the gradients of LayerNorm. With x̂ = (x - μ)/√(σ² + ε)
// and h = gain·dy it computes, row by row,
//
//	dx = (h - mean(h) - x̂·mean(h·x̂))/√(σ² + ε)
//
// and, added up over the rows, dgain = Σ dy·x̂ and dshift = Σ dy. Its operands are x, gain
// and dy.
type layerNormGrad[T Float] struct {
	noGradient[T]
	epsilon float64
	a       *args[T]
	grain   int
	parts   []T    // dgain and dshift of each chunk of rows
	dw      [2][]T // dgain and dshift
	body    func(lo, hi int)
	add     func(lo, hi int)
}

// normChunks bounds the number of chunks of rows, and so the memory of parts.
const normChunks = 64

func (k *layerNormGrad[T]) name() string     { return "layerNormGrad" }
func (k *layerNormGrad[T]) clone() kernel[T] { return &layerNormGrad[T]{epsilon: k.epsilon} }

func (k *layerNormGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[2])
}

func (k *layerNormGrad[T]) side(i int) []T { return k.dw[i] }

func (k *layerNormGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body, k.add = k.chunk, k.columns
	}
	k.a = a
	d := len(a.in[1])
	rows := len(a.out) / d
	k.grain = max(par.RowGrain(d), (rows+normChunks-1)/normChunks)
	chunks := (rows + k.grain - 1) / k.grain
	k.parts = sized(k.parts, chunks*2*d)
	for i := range k.dw {
		k.dw[i] = sized(k.dw[i], d)
	}
	par.For(rows, k.grain, k.body)
	par.For(d, columnGrain, k.add)
	return nil
}

// chunk computes dx of the rows [lo, hi) and their part of the sums.
func (k *layerNormGrad[T]) chunk(lo, hi int) {
	gain := k.a.in[1]
	d := len(gain)
	part := k.parts[lo/k.grain*2*d:][:2*d]
	clear(part)
	for i := lo; i < hi; i++ {
		x, dy, dx := k.a.in[0][i*d:(i+1)*d], k.a.in[2][i*d:(i+1)*d], k.a.out[i*d:(i+1)*d]
		mean, inv := momentsOfRow(x, k.epsilon)
		sum, product := simd.NormSums(part[:d], part[d:], x, dy, gain, mean, inv)
		simd.NormGrad(dx, x, dy, gain, mean, inv, T(sum/float64(d)), T(product/float64(d)))
	}
}

// columns adds up columns [lo, hi) of the parts.
func (k *layerNormGrad[T]) columns(lo, hi int) {
	d := len(k.a.in[1])
	for i, sum := range k.dw {
		sum = sum[lo:hi]
		clear(sum)
		for at := i * d; at < len(k.parts); at += 2 * d {
			simd.Add(sum, sum, k.parts[at+lo:at+hi])
		}
	}
}
