package apoops

import (
	"math"
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// CategoricalKL is the divergence of the class probabilities q = softmax(new)
// from p = softmax(old), averaged over the N examples:
//
//	1/N Σ_i KL(p_i‖q_i),    KL(p‖q) = Σ_j p_j (ln p_j - ln q_j)
//
// old and new are logits of shape N×C; the result is a scalar. The gradient
// (q-p)/N is with respect to new alone: old is a constant.
//
// Value and gradient keep their relative precision where new is close to old,
// and the value is never negative. A logit of -Inf is a class of probability 0:
// where old and new have it both it contributes nothing, where only new has it
// the divergence is +Inf. A row of old that is all -Inf contributes 0.
func CategoricalKL(old, new *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(categoricalKL[float32](), categoricalKL[float64](), old, new)
}

// CategoricalReverseKL is CategoricalKL with the roles of the probabilities
// exchanged:
//
//	1/N Σ_i KL(q_i‖p_i)
//
// Its gradient q_j (ln q_j - ln p_j - KL(q‖p))/N, too, is with respect to new
// alone. It is +Inf where only old has a logit of -Inf, and a row of new that
// is all -Inf contributes 0.
func CategoricalReverseKL(old, new *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(categoricalReverseKL[float32](), categoricalReverseKL[float64](), old, new)
}

func categoricalKL[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "categoricalKL", operands: [2]string{"old", "new"}, of: 1, matrix: true,
		value: categoricalRows[T], gradient: categoricalGradient[T], keeps: true,
	}
}

func categoricalReverseKL[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "categoricalReverseKL", operands: [2]string{"old", "new"}, of: 1, matrix: true, keeps: true,
		value:    func(loss []float64, found []tilt, old, new []T) { categoricalRows(loss, found, new, old) },
		gradient: categoricalReverseGradient[T],
	}
}

// categoricalRows sets loss to KL(softmax(a)‖softmax(b)) of each row.
func categoricalRows[T Float](loss []float64, found []tilt, a, b []T) {
	cols := len(a) / len(loss)
	exps := scratch.Get[float64](blocks(cols))
	for i := range loss {
		ra, rb := a[i*cols:(i+1)*cols], b[i*cols:(i+1)*cols]
		found[i] = tiltOf(exps, ra, rb)
		loss[i] = found[i].kl
	}
	scratch.Put(exps)
}

// categoricalGradient is the gradient (q-p)·scale of KL(p‖q) with respect to b.
func categoricalGradient[T Float](d, a, b []T, found []tilt, scale float64) {
	var buf vmath.Block
	cols := len(a) / len(found)
	for i := range found {
		from, to := i*cols, (i+1)*cols
		categoricalGradientRow(&buf, d[from:to], a[from:to], b[from:to], &found[i], scale)
	}
}

// categoricalReverseGradient is the gradient -q_j (d_j - <q, d>)·scale of KL(q‖p)
// with respect to new, where d = old - new.
func categoricalReverseGradient[T Float](g, old, new []T, found []tilt, scale float64) {
	var buf vmath.Block
	cols := len(old) / len(found)
	for i := range found {
		from, to := i*cols, (i+1)*cols
		categoricalReverseGradientRow(&buf, g[from:to], old[from:to], new[from:to], &found[i], scale)
	}
}

func categoricalGradientRow[T Float](buf *vmath.Block, g, a, b []T, t *tilt, scale float64) {
	if t.empty {
		clear(g)
		return
	}
	kl := t.kl
	logQ := t.logTop() + kl // ln Σ eᵇ
	if math.IsInf(kl, 1) {
		logQ = vmath.LogSumExp(buf, b)
	}
	for len(a) > 0 {
		block := vmath.ExpBlock(buf, a, t.top)
		for j, e := range block {
			p := e / t.sum
			ratio := t.shift(float64(a[j]), float64(b[j])) - kl // ln q_j/p_j
			if p != 0 && ratio <= 1 && ratio > math.Inf(-1) {
				g[j] = T(scale * p * vmath.Expm1(ratio))
			} else {
				g[j] = T(scale * (probability(float64(b[j]), logQ) - p))
			}
		}
		g, a, b = g[len(block):], a[len(block):], b[len(block):]
	}
}

func categoricalReverseGradientRow[T Float](buf *vmath.Block, g, old, new []T, t *tilt, scale float64) {
	if t.empty {
		clear(g)
		return
	}
	for len(new) > 0 {
		block := vmath.ExpBlock(buf, new, t.top)
		for j, e := range block {
			if e == 0 {
				g[j] = 0
			} else {
				g[j] = T(-scale * e / t.sum * t.shift(float64(new[j]), float64(old[j])))
			}
		}
		g, old, new = g[len(block):], old[len(block):], new[len(block):]
	}
}

// probability is exp(z - logSum), 0 in a row whose elements are all -Inf.
func probability(z, logSum float64) float64 {
	if math.IsInf(z, -1) {
		return 0
	}
	return math.Exp(z - logSum)
}

// tilt is the exponential tilting that turns p = softmax(a) into q = softmax(b). With
// d = b - a, q_j is proportional to p_j exp(d_j), and
//
//	KL(p‖q) = ln Σ_j p_j exp(c_j),    c = d - <p, d>
//	ln q_j - ln p_j = c_j - KL(p‖q)
//
// Only differences of logits enter, so that nothing is lost where b is close
// to a.
type tilt struct {
	empty  bool    // all of a is -Inf
	top    float64 // the largest a
	sum    float64 // Σ exp(a - top)
	at     float64 // d where a is largest
	center float64 // <p, d> - at
	kl     float64 // KL(p‖q)
}

// blocks is the size of a buffer for n exponentials: whole blocks.
func blocks(n int) int {
	const size = len(vmath.Block{})
	return (n + size - 1) / size * size
}

// tiltOf compares two rows. It has a buffer for the exponentials of the row, see blocks.
func tiltOf[T Float](exps []float64, a, b []T) tilt {
	t := tilt{top: vmath.RowMax(a)}
	if math.IsInf(t.top, -1) {
		t.empty = true
		return t
	}
	if i := slices.Index(a, T(t.top)); i >= 0 {
		if d := float64(b[i]) - float64(a[i]); !math.IsInf(d, 0) {
			t.at = d
		}
	}
	var dot float64
	for from := 0; from < len(a); from += len(vmath.Block{}) {
		block := vmath.ExpBlock((*vmath.Block)(exps[from:]), a[from:], t.top)
		for j, e := range block {
			t.sum += e
			if e != 0 {
				dot += e * t.shift(float64(a[from+j]), float64(b[from+j]))
			}
		}
	}
	t.center = dot / t.sum
	t.kl = divergence(&t, exps, a, b)
	return t
}

// shift is c_j or, while center is not known, d_j - at.
func (t *tilt) shift(a, b float64) float64 { return ((b - a) - t.at) - t.center }

// logTop is b_j - ln(p_j exp(c_j)), the same for every j.
func (t *tilt) logTop() float64 { return t.top + math.Log(t.sum) + t.at + t.center }

// divergence is KL(p‖q) of the rows that t was made of, with exps = exp(a - top), which it
// may overwrite. As <p, c> = 0 it is
//
//	ln(1+S),    S = Σ_j p_j (exp(c_j) - 1 - c_j)
//
// where no term is negative. Where S is large it is the difference of the
// logarithms of the sums over b and a instead, which cannot overflow.
func divergence[T Float](t *tilt, exps []float64, a, b []T) float64 {
	if math.IsInf(t.center, -1) {
		return math.Inf(1)
	}
	var s float64
	top := t.logTop()
	b = b[:len(a)]
	for j, e := range exps[:len(a)] {
		c := t.shift(float64(a[j]), float64(b[j]))
		switch {
		case e == 0:
			s += t.sum * math.Exp(float64(b[j])-top)
		case c > 1: // exp(c) may overflow where p is small
			s += t.sum*math.Exp(float64(b[j])-top) - e*(1+c)
		default:
			s += e * vmath.ExpRest(c)
		}
	}
	if s /= t.sum; s < 1 {
		return vmath.Log1p(s)
	}
	return max(0, vmath.LogSumExp((*vmath.Block)(exps), b)-top)
}
