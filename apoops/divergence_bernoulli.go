package apoops

import (
	"math"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// BernoulliKL is the divergence of D independent binary outputs with
// probabilities q = σ(new) from those with p = σ(old), summed over the outputs
// and averaged over the N examples:
//
//	1/N Σ_i Σ_j KL(p_ij‖q_ij),    KL(p‖q) = p ln(p/q) + (1-p) ln((1-p)/(1-q))
//
// old and new are logits of the same shape, N×…; the result is a scalar. The
// gradient (q-p)/N is with respect to new alone: old is a constant.
//
// Value and gradient keep their relative precision where new is close to old,
// and the value is never negative. Equal infinite logits contribute nothing; an
// infinite one in new against a finite one in old makes the divergence +Inf.
func BernoulliKL(old, new *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(bernoulliKL[float32](), bernoulliKL[float64](), old, new)
}

// BernoulliReverseKL is BernoulliKL with the roles of the probabilities
// exchanged:
//
//	1/N Σ_i Σ_j KL(q_ij‖p_ij)
//
// Its gradient q(1-q)(new-old)/N, too, is with respect to new alone.
func BernoulliReverseKL(old, new *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(bernoulliReverseKL[float32](), bernoulliReverseKL[float64](), old, new)
}

func bernoulliKL[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "bernoulliKL", operands: [2]string{"old", "new"}, of: 1,
		value: binaryRows[T], gradient: binaryGradient[T],
	}
}

func bernoulliReverseKL[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "bernoulliReverseKL", operands: [2]string{"old", "new"}, of: 1,
		value:    func(loss []float64, found []tilt, old, new []T) { binaryRows(loss, found, new, old) },
		gradient: binaryReverseGradient[T],
	}
}

// binaryRows sets loss to Σ KL(σ(a)‖σ(b)) of each row.
func binaryRows[T Float](loss []float64, _ []tilt, a, b []T) {
	var buf vmath.Block
	cols := len(a) / len(loss)
	for i := range loss {
		ra, rb := a[i*cols:(i+1)*cols], b[i*cols:(i+1)*cols]
		var sum float64
		for len(ra) > 0 {
			block := vmath.ExpMinusAbs(&buf, ra)
			for j, e := range block {
				sum += binaryDivergence(float64(ra[j]), float64(rb[j]), e)
			}
			ra, rb = ra[len(block):], rb[len(block):]
		}
		loss[i] = sum
	}
}

// binaryGradient is the gradient (q-p)·scale of KL(p‖q) with respect to b.
func binaryGradient[T Float](g, a, b []T, _ []tilt, scale float64) {
	var bufA, bufB vmath.Block
	for len(a) > 0 {
		ea, eb := vmath.ExpMinusAbs(&bufA, a), vmath.ExpMinusAbs(&bufB, b)
		for j := range ea {
			va, vb := float64(a[j]), float64(b[j])
			p, notP := bothSides(va, ea[j])
			q, notQ := bothSides(vb, eb[j])
			// q - p = p(1-q)(exp(b-a) - 1) = -q(1-p)(exp(a-b) - 1)
			var d float64
			switch {
			case vb < va:
				d = p * notQ * vmath.Expm1(vb-va)
			case vb != va: // or a NaN
				d = -q * notP * vmath.Expm1(va-vb)
			}
			g[j] = T(scale * d)
		}
		g, a, b = g[len(ea):], a[len(ea):], b[len(ea):]
	}
}

// binaryReverseGradient is the gradient q(1-q)(new-old)·scale of KL(q‖p) with
// respect to new.
func binaryReverseGradient[T Float](g, old, new []T, _ []tilt, scale float64) {
	var buf vmath.Block
	for len(new) > 0 {
		block := vmath.ExpMinusAbs(&buf, new)
		for j, e := range block {
			var d float64
			if v := e / ((1 + e) * (1 + e)); v != 0 && new[j] != old[j] {
				d = v * (float64(new[j]) - float64(old[j]))
			}
			g[j] = T(scale * d)
		}
		g, old, new = g[len(block):], old[len(block):], new[len(block):]
	}
}

// bothSides returns σ(z) and 1-σ(z), given e = exp(-|z|).
func bothSides(z, e float64) (p, notP float64) {
	small, large := e/(1+e), 1/(1+e)
	if z < 0 {
		return small, large
	}
	return large, small
}

// binaryDivergence is KL(σ(a)‖σ(b)), given e = exp(-|a|).
func binaryDivergence(a, b, e float64) float64 {
	if a == b {
		return 0
	}
	if a > 0 { // exchange the outcomes: p ≤ ½ from here on
		a, b = -a, -b
	}
	p, notP := e/(1+e), 1/(1+e)
	d := b - a
	if math.Abs(d) <= 1 { // as in divergence, with c = ((1-p)d, -pd)
		return vmath.Log1p(p*vmath.ExpRest(notP*d) + notP*vmath.ExpRest(-p*d))
	}
	if p == 0 {
		return vmath.Softplus(b)
	}
	// softplus(b) - softplus(a) - pd, without a difference of two infinities
	return max(0, notP*max(b, 0)+vmath.Log1p(math.Exp(-math.Abs(b)))-p*(min(b, 0)-a)-vmath.Log1p(e))
}
