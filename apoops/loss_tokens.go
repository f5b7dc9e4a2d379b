package apoops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// TokenSettings say which positions of sentences count in a loss, and how.
type TokenSettings struct {
	// Padding is the token that stands at positions that do not count; where it is
	// negative all count.
	Padding int
	// Smoothing is ε of label smoothing, from 0 for none up to below 1.
	Smoothing float64
}

// Check reports a smoothing outside [0, 1).
func (s TokenSettings) Check() error {
	if !(s.Smoothing >= 0 && s.Smoothing < 1) {
		return ErrTarget.Errorf("a label smoothing of %v, not in [0, 1)", s.Smoothing)
	}
	return nil
}

// TokenCrossEntropy is the cross-entropy of tokens with smoothed labels (Szegedy et al.
// 2016), the mean over the targets t that are not padding:
//
//	1/n Σ_i (1-ε)·(-ln p_i,t(i)) + ε/V Σ_j (-ln p_ij),    p_i = softmax(y_i)
//
// The logits y are M×V, the targets an array of M numbers of tensor.Int in [0, V), such
// as N×T where M = N·T and row n·T+t has position t of sentence n. The result is a scalar.
// The gradient (p - (1-ε)·onehot(t) - ε/V)/n is with respect to the logits alone; that of
// padding is 0. A target outside [0, V), and targets that are all padding, are errors when
// the graph is run.
func TokenCrossEntropy(y, targets *gorgonia.Node, s TokenSettings) (*gorgonia.Node, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := wantTokens("tokenCrossEntropy", targets); err != nil {
		return nil, err
	}
	return applyFloat(newTokenLoss[float32](s), newTokenLoss[float64](s), y, targets)
}

// checkTokenRows compares the shapes of rows and of their tokens.
func checkTokenRows(rows, tokens tensor.Shape, what string) error {
	if err := wantMatrix(rows, what); err != nil {
		return err
	}
	if rows.TotalSize() < 1 || tokens.TotalSize() != rows[0] {
		return ErrShape.Errorf("%s of shape %v for tokens of shape %v", what, rows, tokens)
	}
	return nil
}

// counts reports whether a position with a token counts.
func (s TokenSettings) counts(token int) bool { return s.Padding < 0 || token != s.Padding }

// number is how many positions count; none is an error.
func (s TokenSettings) number(tokens []int) (n int, err error) {
	for _, t := range tokens {
		if s.counts(t) {
			n++
		}
	}
	if n == 0 {
		return 0, ErrTarget.Errorf("all %d tokens are padding (%d)", len(tokens), s.Padding)
	}
	return n, nil
}

// tokenLoss is the kernel of TokenCrossEntropy.
type tokenLoss[T Float] struct {
	TokenSettings
	a    *args[T]
	cols int
	// By row: the loss, so that the sum does not depend on the cores, the largest
	// logit m and ln Σ exp(y - m), which the gradient needs too.
	loss, top, rest []float64
	body            func(lo, hi int)
}

func newTokenLoss[T Float](s TokenSettings) *tokenLoss[T] { return &tokenLoss[T]{TokenSettings: s} }

func (k *tokenLoss[T]) name() string {
	return fmt.Sprintf("tokenCrossEntropy(%d, %v)", k.Padding, k.Smoothing)
}
func (k *tokenLoss[T]) wrt() []bool      { return []bool{true, false} }
func (k *tokenLoss[T]) clone() kernel[T] { return newTokenLoss[T](k.TokenSettings) }

func (k *tokenLoss[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), checkTokenRows(in[0], in[1], "logits")
}

func (k *tokenLoss[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	rows := a.shapes[0][0]
	k.a, k.cols = a, a.shapes[0][1]
	k.loss, k.top, k.rest = sized(k.loss, rows), sized(k.top, rows), sized(k.rest, rows)
	if err := checkTokens("target", a.ints, a.shapes[1], k.cols, k.Padding); err != nil {
		return err
	}
	n, err := k.number(a.ints)
	if err != nil {
		return err
	}
	par.For(rows, par.RowGrain(k.cols), k.body)
	a.out[0] = T(mean(k.loss, n))
	return nil
}

func (k *tokenLoss[T]) rows(lo, hi int) {
	var buf vmath.Block
	for i := lo; i < hi; i++ {
		t := k.a.ints[i]
		if !k.counts(t) {
			k.loss[i] = 0
			continue
		}
		y := k.a.in[0][i*k.cols : (i+1)*k.cols]
		m := vmath.RowMax(y)
		if k.top[i] = m; math.IsInf(m, -1) {
			k.loss[i] = math.Inf(1)
			continue
		}
		k.rest[i] = math.Log(vmath.SumExp(&buf, y, m))
		loss := m - float64(y[t])
		if k.Smoothing > 0 {
			loss = (1-k.Smoothing)*loss + k.Smoothing*(m-vmath.Sum64(y)/float64(k.cols))
		}
		k.loss[i] = loss + k.rest[i]
	}
}

func (k *tokenLoss[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	d, err := apply(&tokenLossGrad[T]{of: k}, in[0], in[1], out, dout)
	return gorgonia.Nodes{d, nil}, err
}

// tokenLossGrad is the gradient of TokenCrossEntropy; its operands are y, t, the loss,
// which has run before by that, and its gradient.
type tokenLossGrad[T Float] struct {
	noGradient[T]
	of    *tokenLoss[T] // has m and ln Σ exp(y - m) of the rows
	a     *args[T]
	scale float64
	body  func(lo, hi int)
}

func (k *tokenLossGrad[T]) name() string     { return "tokenCrossEntropyGrad" }
func (k *tokenLossGrad[T]) clone() kernel[T] { return &tokenLossGrad[T]{of: k.of} }

func (k *tokenLossGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *tokenLossGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	n, err := k.of.number(a.ints)
	if err != nil {
		return err
	}
	k.a, k.scale = a, float64(a.in[3][0])/float64(n)
	par.For(a.shapes[0][0], par.RowGrain(a.shapes[0][1]), k.body)
	return nil
}

func (k *tokenLossGrad[T]) rows(lo, hi int) {
	var buf vmath.Block
	cols := k.a.shapes[0][1]
	uniform := k.of.Smoothing / float64(cols)
	for i := lo; i < hi; i++ {
		y, d, t := k.a.in[0][i*cols:(i+1)*cols], k.a.out[i*cols:(i+1)*cols], k.a.ints[i]
		m, rest := k.of.top[i], k.of.rest[i]
		if !k.of.counts(t) || math.IsInf(m, -1) {
			clear(d)
			continue
		}
		// p - 1 without the cancellation where p is close to 1.
		atTarget := vmath.Expm1((float64(y[t])-m)-rest) + (k.of.Smoothing - uniform)
		vmath.ExpLess(&buf, d, y, m+rest, uniform, k.scale)
		d[t] = T(k.scale * atTarget)
	}
}
