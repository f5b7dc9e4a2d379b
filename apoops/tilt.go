package apoops

import (
	"math"
	"slices"
)

// tilt is what turns the distribution p = softmax(a) into q = softmax(b). With
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
}

// tiltOf compares two rows.
func tiltOf[T Float](buf *scratch, a, b []T) tilt {
	t := tilt{top: rowMax(a)}
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
	for len(a) > 0 {
		block := expBlock(buf, a, t.top)
		for j, e := range block {
			t.sum += e
			if e != 0 {
				dot += e * t.shift(float64(a[j]), float64(b[j]))
			}
		}
		a, b = a[len(block):], b[len(block):]
	}
	t.center = dot / t.sum
	return t
}

// shift is c_j or, while center is not known, d_j - at.
func (t *tilt) shift(a, b float64) float64 { return ((b - a) - t.at) - t.center }

// logTop is b_j - ln(p_j exp(c_j)), the same for every j.
func (t *tilt) logTop() float64 { return t.top + math.Log(t.sum) + t.at + t.center }

// divergence is KL(p‖q) of the rows that t was made of. As <p, c> = 0 it is
//
//	ln(1+S),    S = Σ_j p_j (exp(c_j) - 1 - c_j)
//
// where no term is negative. Where S is large it is the difference of the
// logarithms of the sums over b and a instead, which cannot overflow.
func divergence[T Float](t *tilt, buf *scratch, a, b []T) float64 {
	if t.empty {
		return 0
	}
	if math.IsInf(t.center, -1) {
		return math.Inf(1)
	}
	var s float64
	top := t.logTop()
	ra, rb := a, b
	for len(ra) > 0 {
		block := expBlock(buf, ra, t.top)
		for j, e := range block {
			c := t.shift(float64(ra[j]), float64(rb[j]))
			switch {
			case e == 0:
				s += t.sum * math.Exp(float64(rb[j])-top)
			case c > 1: // exp(c) may overflow where p is small
				s += t.sum*math.Exp(float64(rb[j])-top) - e*(1+c)
			default:
				s += e * expRest(c)
			}
		}
		ra, rb = ra[len(block):], rb[len(block):]
	}
	if s /= t.sum; s < 1 {
		return log1p(s)
	}
	return max(0, logSumExp(buf, b)-top)
}
