package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// AttentionSettings are those of Attention.
type AttentionSettings struct {
	// Examples is N, the number of sentences.
	Examples int
	// Heads divides the width d: head h has the columns h·d/Heads to (h+1)·d/Heads.
	Heads int
	// Causal masks the keys behind a query: query i of Tq stands at the position
	// Tk-Tq+i of the Tk keys and sees the keys up to that position. Tq is at most Tk.
	Causal bool
	// Dropout is the rate of dropout on the weights, 0 for none. Its masks come from
	// Random and Stream, as in Dropout.
	Dropout float64
	Random  *Random
	Stream  uint64
}

// Attention is scaled dot-product attention of all heads (Vaswani et al. 2017, Eq. 1):
//
//	y = softmax(q·kᵀ/√(d/heads) + mask)·v
//
// for each sentence and head. q is (N·Tq)×d, k and v are (N·Tk)×d, row n·T+t the
// position t of sentence n; y is (N·Tq)×d. The lengths, N of tensor.Int, mask the keys
// of sentence n from position lengths[n] on; nil masks none. A query that sees no key
// gets 0, and its gradient is 0. A length outside [0, Tk] is an error.
//
// The weights, N·heads·Tq·Tk numbers, are kept until the backward pass has run, and
// with dropout those after it too.
func Attention(q, k, v, lengths *gorgonia.Node, s AttentionSettings) (*gorgonia.Node, error) {
	w, err := AttentionWeights(q, k, lengths, s)
	if err != nil {
		return nil, err
	}
	if v == nil || !SameShape(v.Shape(), k.Shape()) {
		return nil, ErrShape.Errorf("apoops: attention: the values are not of the shape %v of the keys", k.Shape())
	}
	if s.Dropout != 0 {
		if w, err = Dropout(w, s.Dropout, s.Random, s.Stream); err != nil {
			return nil, errors.WithMessage(err, "apoops: attention")
		}
	}
	l, _ := layoutOf(q.Shape(), k.Shape(), s) // checked above
	return applyFloat(&headSum[float32]{headLayout: l}, &headSum[float64]{headLayout: l}, w, v)
}

// AttentionWeights is the softmax of Attention without dropout, (N·heads·Tq)×Tk: row
// (n·heads+h)·Tq+i has the weights of query i of sentence n in head h.
func AttentionWeights(q, k, lengths *gorgonia.Node, s AttentionSettings) (*gorgonia.Node, error) {
	if q == nil || k == nil {
		return nil, errors.New("apoops: attention: the queries or the keys are nil")
	}
	in := gorgonia.Nodes{q, k}
	if lengths != nil {
		if lengths.Dtype() != tensor.Int {
			return nil, ErrDtype.Errorf("apoops: attention: lengths of dtype %v, not int", lengths.Dtype())
		}
		in = append(in, lengths)
	}
	l, err := layoutOf(q.Shape(), k.Shape(), s)
	if err != nil {
		return nil, errors.WithMessage(err, "apoops: attention")
	}
	return applyFloat(&attentionWeights[float32]{headLayout: l, causal: s.Causal}, &attentionWeights[float64]{headLayout: l, causal: s.Causal}, in...)
}

func layoutOf(q, k tensor.Shape, s AttentionSettings) (l headLayout, err error) {
	if err := wantMatrix(q, "the array of queries"); err != nil {
		return l, err
	}
	if err := wantMatrix(k, "the array of keys"); err != nil {
		return l, err
	}
	switch {
	case s.Examples < 1 || q[0]%s.Examples != 0 || k[0]%s.Examples != 0:
		return l, ErrShape.Errorf("%d queries and %d keys for %d sentences", q[0], k[0], s.Examples)
	case q[1] != k[1]:
		return l, ErrShape.Errorf("queries of width %d, keys of width %d", q[1], k[1])
	case s.Heads < 1 || q[1]%s.Heads != 0:
		return l, ErrShape.Errorf("%d heads do not divide the width %d", s.Heads, q[1])
	case s.Causal && q[0] > k[0]:
		return l, ErrShape.Errorf("causal, with %d queries for %d keys a sentence", q[0]/s.Examples, k[0]/s.Examples)
	}
	return headLayout{s.Examples, s.Heads, q[0] / s.Examples, k[0] / s.Examples, q[1]}, nil
}

// attentionWeights is the kernel of AttentionWeights.
type attentionWeights[T Float] struct {
	headLayout
	causal bool
	a      *args[T]
	body   func(lo, hi int)
}

func (k *attentionWeights[T]) name() string { return "attentionWeights" }
func (k *attentionWeights[T]) wrt() []bool  { return []bool{true, true} }

func (k *attentionWeights[T]) clone() kernel[T] {
	return &attentionWeights[T]{headLayout: k.headLayout, causal: k.causal}
}

func (k *attentionWeights[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) > 2 && (in[2].Dims() != 1 || in[2][0] != k.examples) {
		return nil, ErrShape.Errorf("lengths of shape %v for %d sentences", in[2], k.examples)
	}
	return k.pairs(), nil
}

func (k *attentionWeights[T]) run(a *args[T]) error {
	for n, l := range a.ints {
		if l < 0 || l > k.keys {
			return errors.Errorf("sentence %d of length %d, with %d keys", n, l, k.keys)
		}
	}
	if k.body == nil {
		k.body = k.chunk
	}
	k.a = a
	par.For(k.count(), k.grain(), k.body)
	return nil
}

// chunk computes the weights of the pairs [lo, hi) of a sentence and a head.
func (k *attentionWeights[T]) chunk(lo, hi int) {
	var buf vmath.Block
	scale := T(k.scale())
	for pair := lo; pair < hi; pair++ {
		length := k.keys
		if k.a.ints != nil {
			length = k.a.ints[pair/k.heads]
		}
		productsOfHead(k.headLayout, pair, scale, length, k.a.in[0], k.a.in[1], k.a.out)
		w := pairOf(k.headLayout, pair, k.a.out)
		for i := range k.queries {
			row, seen := w[i*k.keys:(i+1)*k.keys], length
			if k.causal {
				seen = min(seen, k.keys-k.queries+i+1)
			}
			softmaxRow(&buf, row[:seen], row[:seen], 1)
			clear(row[seen:])
		}
	}
}

// scale is 1/√(d/heads).
func (k *attentionWeights[T]) scale() float64 { return 1 / math.Sqrt(float64(k.width/k.heads)) }

func (k *attentionWeights[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ds, err := apply(&softmaxGrad[T]{}, out, dout)
	if err != nil {
		return nil, err
	}
	dq, err := apply(&headSumGrad[T]{headLayout: k.headLayout, scale: k.scale()}, ds, in[1])
	if err != nil {
		return nil, err
	}
	dk, err := apply(&headSumGrad[T]{headLayout: k.headLayout, scale: k.scale(), transposed: true}, ds, in[0])
	return append(gorgonia.Nodes{dq, dk}, make(gorgonia.Nodes, len(in)-2)...), err
}
