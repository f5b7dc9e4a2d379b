package apoops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// headLayout says where the parts of a sentence and a head lie: the rows of a sentence
// and the columns of a head in arrays of queries and keys, and one queries×keys matrix
// for each pair of a sentence and a head in arrays of weights.
type headLayout struct {
	examples, heads int
	queries, keys   int // of a sentence
	width           int // of all heads
}

// pairs is the shape of an array of weights.
func (l headLayout) pairs() tensor.Shape { return tensor.Shape{l.count() * l.queries, l.keys} }

// count is the number of pairs of a sentence and a head.
func (l headLayout) count() int { return l.examples * l.heads }

// grain is the number of pairs that make a chunk of parallel work.
func (l headLayout) grain() int { return par.RowGrain(l.queries * l.keys) }

// query and key are the offsets of a pair's first query and first key.
func (l headLayout) query(pair int) int { return l.offset(pair, l.queries) }
func (l headLayout) key(pair int) int   { return l.offset(pair, l.keys) }

func (l headLayout) offset(pair, rows int) int {
	return pair/l.heads*rows*l.width + pair%l.heads*(l.width/l.heads)
}

// pairOf is a pair's matrix in an array of weights.
func pairOf[T Float](l headLayout, pair int, w []T) []T {
	n := l.queries * l.keys
	return w[pair*n : (pair+1)*n]
}

// headSum is the kernel that adds up rows by weights, for each sentence and head:
// y = w·x, where x are rows of keys and y rows of queries. The operands are w,
// (N·heads·Tq)×Tk, and x, (N·Tk)×d.
type headSum[T Float] struct {
	headLayout
	a    *args[T]
	body func(lo, hi int)
}

func (k *headSum[T]) name() string     { return "headSum" }
func (k *headSum[T]) wrt() []bool      { return []bool{true, true} }
func (k *headSum[T]) clone() kernel[T] { return &headSum[T]{headLayout: k.headLayout} }

func (k *headSum[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{k.examples * k.queries, k.width}, nil
}

func (k *headSum[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			for pair := lo; pair < hi; pair++ {
				sumByHead(k.headLayout, pair, 1, k.a.in[0], k.a.in[1], k.a.out, false)
			}
		}
	}
	k.a = a
	par.For(k.count(), k.grain(), k.body)
	return nil
}

func (k *headSum[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dw, err := apply(&headProducts[T]{headLayout: k.headLayout}, dout, in[1])
	if err != nil {
		return nil, err
	}
	dx, err := apply(&headSumGrad[T]{headLayout: k.headLayout, scale: 1, transposed: true}, in[0], dout)
	return gorgonia.Nodes{dw, dx}, err
}

// sumByHead sets the rows of y that belong to a pair to scale·w·x, x being keys and y
// queries, or, transposed, to scale·wᵀ·x, x being queries and y keys.
func sumByHead[T Float](l headLayout, pair int, scale T, w, x, y []T, transposed bool) {
	depth := l.width / l.heads
	rows, inner, from, to := l.queries, l.keys, l.key(pair), l.query(pair)
	if transposed {
		rows, inner, from, to = inner, rows, to, from
	}
	blas.SerialGemm(transposed, false, rows, depth, inner, scale, pairOf(l, pair, w), l.keys, x[from:], l.width, 0, y[to:], l.width)
}

// headSumGrad is the kernel of scale·w·x or, transposed, of scale·wᵀ·x: the gradients of
// headSum by x and of attentionWeights by queries and keys.
type headSumGrad[T Float] struct {
	noGradient[T]
	headLayout
	scale      float64
	transposed bool
	a          *args[T]
	body       func(lo, hi int)
}

func (k *headSumGrad[T]) name() string { return "headSumGrad" }

func (k *headSumGrad[T]) clone() kernel[T] {
	return &headSumGrad[T]{headLayout: k.headLayout, scale: k.scale, transposed: k.transposed}
}

func (k *headSumGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	if k.transposed {
		return tensor.Shape{k.examples * k.keys, k.width}, nil
	}
	return tensor.Shape{k.examples * k.queries, k.width}, nil
}

func (k *headSumGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			for pair := lo; pair < hi; pair++ {
				sumByHead(k.headLayout, pair, T(k.scale), k.a.in[0], k.a.in[1], k.a.out, k.transposed)
			}
		}
	}
	k.a = a
	par.For(k.count(), k.grain(), k.body)
	return nil
}

// headProducts is the kernel of the gradient of headSum by the weights: the inner
// products of queries' and keys' rows, for each sentence and head.
type headProducts[T Float] struct {
	noGradient[T]
	headLayout
	a    *args[T]
	body func(lo, hi int)
}

func (k *headProducts[T]) name() string     { return "headProducts" }
func (k *headProducts[T]) clone() kernel[T] { return &headProducts[T]{headLayout: k.headLayout} }

func (k *headProducts[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.pairs(), nil }

func (k *headProducts[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			for pair := lo; pair < hi; pair++ {
				productsOfHead(k.headLayout, pair, 1, k.keys, k.a.in[0], k.a.in[1], k.a.out)
			}
		}
	}
	k.a = a
	par.For(k.count(), k.grain(), k.body)
	return nil
}

// productsOfHead sets the first columns of a pair's matrix in w to scale·q·kᵀ.
func productsOfHead[T Float](l headLayout, pair int, scale T, columns int, q, k, w []T) {
	if columns > 0 {
		blas.SerialGemm(false, true, l.queries, columns, l.width/l.heads, scale,
			q[l.query(pair):], l.width, k[l.key(pair):], l.width, 0, pairOf(l, pair, w), l.keys)
	}
}
