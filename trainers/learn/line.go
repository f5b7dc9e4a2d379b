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
	e     []*tensor.Dense // θ' = θ - r·e
	n, w  float64         // <g, e> and ‖e‖²
}

func newLine(batch graph.Batch, loss float64, g, e []*tensor.Dense) line {
	return line{batch: batch, loss: loss, e: e, n: array.Inner(g, e), w: array.SumSquares(e...)}
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
	l.r[0].Float64s()[0] = r
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
	rise := t.Loss - p.loss + r*p.n
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
