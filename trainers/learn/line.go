package learn

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// line is a mini-batch and the direction along which Q is measured.
type line struct {
	batch graph.Batch
	loss  float64         // J_B(θ)
	e     []*tensor.Dense // θ' = θ - r·ρ·e, with the ρ_k of each group
	slope []float64       // <g, e> of each group
	n, w  float64         // Σ ρ·<g, e> and Σ ρ²·‖e‖²
}

func (l *calibratedLearner) newLine(batch graph.Batch, loss float64, g, e []*tensor.Dense) line {
	p := line{batch: batch, loss: loss, e: e, slope: make([]float64, len(l.ratios))}
	for i, k := range l.update.look.Group {
		ratio, slope := l.ratios[k], array.Inner(g[i:i+1], e[i:i+1])
		p.slope[k] += slope
		p.n += ratio * slope
		p.w += ratio * ratio * array.SumSquares(e[i])
	}
	return p
}

// feedRates feeds r·ρ_k, as the graph has it, and returns what rounding has added to the slope
// r·n of a line.
func (l *calibratedLearner) feedRates(p line, r float64) (rounding float64) {
	for k, ratio := range l.ratios {
		rate := roundTo(p.e[0].Dtype(), r*ratio)
		l.r[k].Float64s()[0] = rate
		rounding += (rate - r*ratio) * p.slope[k]
	}
	return rounding
}

// measure looks at Q's terms at the rate r.
func (l *calibratedLearner) measure(p line, tilde []*tensor.Dense, r float64) (parabola, graph.Terms, error) {
	if err := l.Prepare(p.batch, tilde); err != nil {
		return parabola{}, graph.Terms{}, err
	}
	eps, err := apoops.Choose(p.e[0].Dtype(), 0x1p-23, 0x1p-52)
	if err != nil {
		return parabola{}, graph.Terms{}, err
	}
	r = roundTo(p.e[0].Dtype(), r) // as the graph has it
	rounding := l.feedRates(p, r)
	if err := l.prox.Feed(p.batch, tilde); err != nil {
		return parabola{}, graph.Terms{}, err
	}
	if err := l.prox.FeedWeights(l.c.Lambda0, 0); err != nil {
		return parabola{}, graph.Terms{}, err
	}
	if err := l.prox.FeedStep(l.r, p.e, 1); err != nil {
		return parabola{}, graph.Terms{}, err
	}
	if err := l.prox.Run(); err != nil {
		return parabola{}, graph.Terms{}, err
	}
	t := l.prox.Terms()
	rise := t.Loss - p.loss + r*p.n + rounding
	if math.Abs(rise) < 4*eps*math.Abs(p.loss) {
		rise = 0 // it is rounding, which r² would blow up
	}
	return parabola{n: p.n, l: 2 * rise / (r * r), f: 2 * t.FSD / (r * r), w: p.w}, t, nil
}

// roundTo rounds a number to a dtype.
func roundTo(dt tensor.Dtype, x float64) float64 {
	rounded, err := apoops.Choose(dt, float64(float32(x)), x)
	if err != nil {
		return math.NaN()
	}
	return rounded
}
