package learn

import (
	"math"

	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// parabola holds what Calibrated measures of Q along -e: the slope N and the
// curvatures L of the loss, F of the function-space term, W of the weight-space
// term.
type parabola struct{ n, l, f, w float64 }

// add is p ← p + factor·q.
func (p *parabola) add(q parabola, factor float64) {
	p.n += factor * q.n
	p.l += factor * q.l
	p.f += factor * q.f
	p.w += factor * q.w
}

// curvature is L + λ_0·F + λ_W·W.
func (p parabola) curvature(c CalibratedConfig) float64 {
	return p.l + c.Lambda0*p.f + c.LambdaWSD*p.w
}

// calibrated is the rate that a round of the calibration makes of b.
func (p parabola) calibrated(c CalibratedConfig, b float64) float64 {
	const reach = 20
	k := p.curvature(c)
	switch {
	case !array.IsFinite(k) || !array.IsFinite(p.n):
		return b / reach
	case p.n <= 0: // no descent: nothing to learn from
		return b
	case k <= 0:
		return b * reach
	}
	return min(max(p.n/k, b/reach), b*reach)
}

// tracked is the rate that running averages make of b.
func (p parabola) tracked(c CalibratedConfig, b float64) float64 {
	k := p.curvature(c)
	switch {
	case p.n <= 0:
		return b / 2
	case k <= 0:
		return b * 2
	}
	best := p.n / k
	return min(max(b, best/2), 2*best)
}

// slowdown is R for the weight lambda of the function-space term.
func (p parabola) slowdown(c CalibratedConfig, lambda float64) float64 {
	l := max(p.l, 0.3*p.f)
	if r := (l + c.Lambda0*p.f) / (l + lambda*p.f); !math.IsNaN(r) {
		return r
	}
	return 1 // nothing measured: 0/0
}
