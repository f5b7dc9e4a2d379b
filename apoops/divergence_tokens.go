package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// TokenKL is CategoricalKL of the rows of logits, M×V, whose token counts, averaged over
// these:
//
//	1/n Σ_i KL(p_i‖q_i),    i = 1, …, M with token i not padding
//
// The tokens are an array of M numbers of tensor.Int, such as the target inputs N×T: they
// say which positions count and are not looked at otherwise. The gradient is with respect
// to new alone, that of padding 0. Tokens that are all padding are an error when the graph
// is run.
func TokenKL(old, new, tokens *gorgonia.Node, padding int) (*gorgonia.Node, error) {
	return meanOfTokens(categoricalKL[float32](), categoricalKL[float64](), old, new, tokens, padding)
}

// TokenReverseKL is TokenKL with the roles of the probabilities exchanged, as in
// CategoricalReverseKL.
func TokenReverseKL(old, new, tokens *gorgonia.Node, padding int) (*gorgonia.Node, error) {
	return meanOfTokens(categoricalReverseKL[float32](), categoricalReverseKL[float64](), old, new, tokens, padding)
}

// SampleTokens is SampleCategorical for the rows of logits, M×V, whose token counts: the
// result has the shape of the tokens, M numbers of tensor.Int, and their padding. A token
// that counts is drawn from softmax(z) without the padding.
func SampleTokens(z, tokens *gorgonia.Node, padding int, noise *Random) (*gorgonia.Node, error) {
	if noise == nil {
		return nil, errors.New("apoops: sampleTokens: noise is nil")
	}
	if err := wantTokens("sampleTokens", tokens); err != nil {
		return nil, err
	}
	s := TokenSettings{Padding: padding}
	return applyFloat(&sampleClass[float32]{noise: noise, TokenSettings: s}, &sampleClass[float64]{noise: noise, TokenSettings: s}, z, tokens)
}

// ProbeTokens is ProbeCategorical for TokenKL: of the M rows of logits those whose token
// counts, n in number, have a direction, with 1/√n in place of 1/√N, and the others 0.
func ProbeTokens(z, tokens *gorgonia.Node, padding int, noise *Random) (*gorgonia.Node, error) {
	if err := wantTokens("probeTokens", tokens); err != nil {
		return nil, err
	}
	return newProbe("Tokens", noise, probeCategorical[float32], probeCategorical[float64], TokenSettings{Padding: padding}, z, tokens)
}

func meanOfTokens(l32 rowLoss[float32], l64 rowLoss[float64], old, new, tokens *gorgonia.Node, padding int) (*gorgonia.Node, error) {
	if err := wantTokens(l32.label, tokens); err != nil {
		return nil, err
	}
	s := TokenSettings{Padding: padding}
	return applyFloat(&tokenMean[float32]{rowLoss: l32, TokenSettings: s}, &tokenMean[float64]{rowLoss: l64, TokenSettings: s}, old, new, tokens)
}

// tokenMean is the kernel of a rowLoss of the rows whose tokens count.
type tokenMean[T Float] struct {
	rowLoss[T]
	TokenSettings
	a    *args[T]
	cols int
	// By row: the loss, so that the sum does not depend on the cores, and what the
	// gradient needs.
	loss  []float64
	found []tilt
	body  func(lo, hi int)
}

func (k *tokenMean[T]) name() string { return fmt.Sprintf("%sOfTokens(%d)", k.label, k.Padding) }
func (k *tokenMean[T]) wrt() []bool  { return []bool{k.of == 0, k.of == 1, false} }

func (k *tokenMean[T]) clone() kernel[T] {
	return &tokenMean[T]{rowLoss: k.rowLoss, TokenSettings: k.TokenSettings}
}

func (k *tokenMean[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !in[0].Eq(in[1]) {
		return nil, ErrShape.Errorf("%s has shape %v, %s %v", k.operands[0], in[0], k.operands[1], in[1])
	}
	return tensor.ScalarShape(), checkTokenRows(in[0], in[2], k.operands[0])
}

func (k *tokenMean[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	rows := a.shapes[0][0]
	n, err := k.number(a.ints)
	if err != nil {
		return err
	}
	k.a, k.cols, k.loss, k.found = a, a.shapes[0][1], sized(k.loss, rows), sized(k.found, rows)
	par.For(rows, par.RowGrain(k.cols), k.body)
	a.out[0] = T(mean(k.loss, n))
	return nil
}

func (k *tokenMean[T]) rows(lo, hi int) {
	for i := lo; i < hi; i++ {
		if !k.counts(k.a.ints[i]) {
			k.loss[i] = 0
			continue
		}
		from, to := i*k.cols, (i+1)*k.cols
		k.value(k.loss[i:i+1], k.found[i:i+1], k.a.in[0][from:to], k.a.in[1][from:to])
	}
}

func (k *tokenMean[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	d, err := apply(&tokenMeanGrad[T]{of: k}, in[0], in[1], in[2], out, dout)
	ret := make(gorgonia.Nodes, 3)
	ret[k.of] = d
	return ret, err
}

// tokenMeanGrad is the gradient of tokenMean; its operands are those, the mean, which has
// run before by that, and its gradient.
type tokenMeanGrad[T Float] struct {
	noGradient[T]
	of    *tokenMean[T]
	a     *args[T]
	cols  int
	scale float64
	body  func(lo, hi int)
}

func (k *tokenMeanGrad[T]) name() string     { return k.of.label + "OfTokensGrad" }
func (k *tokenMeanGrad[T]) clone() kernel[T] { return &tokenMeanGrad[T]{of: k.of} }

func (k *tokenMeanGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *tokenMeanGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	n, err := k.of.number(a.ints)
	if err != nil {
		return err
	}
	k.a, k.cols, k.scale = a, a.shapes[0][1], float64(a.in[4][0])/float64(n)
	par.For(a.shapes[0][0], par.RowGrain(k.cols), k.body)
	return nil
}

func (k *tokenMeanGrad[T]) rows(lo, hi int) {
	for i := lo; i < hi; i++ {
		from, to := i*k.cols, (i+1)*k.cols
		if !k.of.counts(k.a.ints[i]) {
			clear(k.a.out[from:to])
			continue
		}
		k.of.gradient(k.a.out[from:to], k.a.in[0][from:to], k.a.in[1][from:to], k.of.found[i:i+1], k.scale)
	}
}
