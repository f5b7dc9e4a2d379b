package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// AttentionStep is Attention of one new position of each of N hypotheses to the
// positions before it and to itself, for decoding:
//
//	y = softmax(q·[keys; k]ᵀ/√(d/heads))·[values; v]
//
// q, k and v are N×d, those of the new position. keys and values are (N·M)×d, row n·M+t
// the earlier position t of hypothesis n, of which the first lengths[n] are read; lengths
// are N of tensor.Int. A length outside [0, M] is an error. There is no gradient.
func AttentionStep(q, k, v, keys, values, lengths *gorgonia.Node, heads int) (*gorgonia.Node, error) {
	if lengths == nil || lengths.Dtype() != tensor.Int {
		return nil, ErrDtype.Errorf("apoops: attention step: the lengths are no array of int")
	}
	return applyFloat(&attentionStep[float32]{heads: heads}, &attentionStep[float64]{heads: heads}, q, k, v, keys, values, lengths)
}

// attentionStep is the kernel of AttentionStep.
type attentionStep[T Float] struct {
	noGradient[T]
	heads int
	l     headLayout
	w     []T // a row of weights for each hypothesis and head, the new position's last
	a     *args[T]
	body  func(lo, hi int)
}

func (k *attentionStep[T]) name() string     { return "attentionStep" }
func (k *attentionStep[T]) clone() kernel[T] { return &attentionStep[T]{heads: k.heads} }

func (k *attentionStep[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	q, keys := in[0], in[3]
	for i, operand := range []string{"q", "k", "v", "the array of keys", "the array of values"} {
		if err := wantMatrix(in[i], operand); err != nil {
			return nil, err
		}
	}
	switch {
	case !SameShape(q, in[1]) || !SameShape(q, in[2]):
		return nil, ErrShape.Errorf("q of shape %v, k of %v, v of %v", q, in[1], in[2])
	case !SameShape(keys, in[4]) || keys[1] != q[1] || keys[0]%q[0] != 0:
		return nil, ErrShape.Errorf("keys of shape %v and values of %v for q of %v", keys, in[4], q)
	case k.heads < 1 || q[1]%k.heads != 0:
		return nil, ErrShape.Errorf("%d heads do not divide the width %d", k.heads, q[1])
	case in[5].Dims() != 1 || in[5][0] != q[0]:
		return nil, ErrShape.Errorf("lengths of shape %v for %d hypotheses", in[5], q[0])
	}
	return q.Clone(), nil
}

func (k *attentionStep[T]) run(a *args[T]) error {
	q, keys := a.shapes[0], a.shapes[3]
	k.l = headLayout{examples: q[0], heads: k.heads, queries: 1, keys: keys[0] / q[0], width: q[1]}
	for n, l := range a.ints {
		if l < 0 || l > k.l.keys {
			return errors.Errorf("hypothesis %d has %d earlier positions, of %d", n, l, k.l.keys)
		}
	}
	if k.body == nil {
		k.body = k.chunk
	}
	k.a, k.w = a, sized(k.w, k.l.count()*(k.l.keys+1))
	par.For(k.l.count(), par.RowGrain(k.l.keys+1), k.body)
	return nil
}

func (k *attentionStep[T]) chunk(lo, hi int) {
	var buf vmath.Block
	depth := k.l.width / k.heads
	scale := T(1 / math.Sqrt(float64(depth)))
	for pair := lo; pair < hi; pair++ {
		length, at, from := k.a.ints[pair/k.heads], k.l.query(pair), k.l.key(pair)
		w := k.w[pair*(k.l.keys+1):][:length+1]
		q, y := k.a.in[0][at:at+depth], k.a.out[at:at+depth]
		if length > 0 {
			blas.SerialGemm(false, true, 1, length, depth, scale, q, depth, k.a.in[3][from:], k.l.width, 0, w, length)
		}
		w[length] = scale * T(blas.Dot(q, k.a.in[1][at:at+depth]))
		softmaxRow(&buf, w, w, 1)
		for i, v := range k.a.in[2][at : at+depth] {
			y[i] = w[length] * v
		}
		if length > 0 {
			blas.SerialGemm(false, false, 1, depth, length, 1, w, length, k.a.in[4][from:], k.l.width, 1, y, depth)
		}
	}
}
