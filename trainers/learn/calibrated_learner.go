package learn

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// calibratedLearner is the learner of Calibrated.
type calibratedLearner struct {
	x      *Context
	c      CalibratedConfig
	update *rates
	search rule.LineSearch
	kept   graph.Shapes[*graph.Proximal] // values alone
	prox   *graph.Proximal               // the last used
	look   graph.Lookahead
	r      []*tensor.Dense // the rates at which Q is measured, by group
	ratios []float64       // ρ_k, by group
	lo, hi float64         // bounds of b
	// averages are those of N/W, L/W, F/W and 1. They start at 0 and are not
	// corrected for it: only their ratios matter.
	averages   []float64
	calibrated []uint64 // one number: one of those below or, later, the bits of the largest b
	rise       risingLoss
}

// What a checkpoint has for calibrated before b has settled. A run that older versions began has
// neither a warm-up nor a largest b.
const (
	calibratedBefore = 1
	calibrated       = 2
)

// NewCalibrated makes a Calibrated learner. Its update must have learning rates, one or one for
// each group of a rule.Grouped, of a rule with a rule.LineSearch.
func NewCalibrated(config CalibratedConfig) NewLearner {
	return func(x *Context) (Learner, error) { return newCalibratedLearner(x, config) }
}

func newCalibratedLearner(x *Context, c CalibratedConfig) (Learner, error) {
	name := x.Optimizer.Name()
	u, ok := x.Update.(*rates)
	if !ok {
		return nil, errors.Errorf("trainers: Calibrated: %s has no learning rate", name)
	}
	if !slices.Equal(u.look.Group, u.factors.of) {
		return nil, errors.New("trainers: Calibrated learns one rate for all parameters, or one factor on those of Groups: leave RatePerParam and RateGroups out")
	}
	search := u.rule.LineSearch()
	if search == nil {
		return nil, errors.Errorf("trainers: Calibrated: %s has no line search", name)
	}
	if err := search.CheckLineSearch(); err != nil {
		return nil, errors.WithMessagef(err, "trainers: Calibrated: %s", name)
	}
	if x.Settings.NoFSD && c.Lambda0 > 0 {
		return nil, errors.Errorf("trainers: Calibrated: lambda0 is %v, but FSD(0) leaves the function-space term out", c.Lambda0)
	}
	l := &calibratedLearner{
		x: x, c: c, update: u, search: search, averages: make([]float64, 4), calibrated: make([]uint64, 1), rise: make(risingLoss, numbersOfRise),
		look: graph.RateLookahead{Group: u.look.Group, Linear: true}, lo: u.lo, hi: u.hi,
	}
	for _, rate := range u.initial {
		ratio := rate / u.initial[0]
		l.ratios, l.r = append(l.ratios, ratio), append(l.r, array.Vector(make([]float64, 1)))
		l.lo, l.hi = max(l.lo, u.lo/ratio), min(l.hi, u.hi/ratio)
	}
	u.pace = l.pace
	return l, nil
}

func (l *calibratedLearner) Due(step int) bool { return step%l.x.Settings.K == 0 }

func (l *calibratedLearner) KeepsInputs(step int) bool { return l.Due(step + 1) }

// growth is 0: each rate that is set is brought into its bounds.
func (l *calibratedLearner) Growth() float64 { return 0 }

func (l *calibratedLearner) Invalidate() {}

// MetaGradient is nil: ∂Q/∂φ is not computed.
func (l *calibratedLearner) MetaGradient() []*tensor.Dense { return nil }

func (l *calibratedLearner) Memory() int { return 1 }

// Describe leaves out the usual warm-up, and Rise where the loss is not watched, which
// checkpoints of older versions do not have.
func (l *calibratedLearner) Describe() (string, any) {
	c := l.c
	if c.WarmUp == c.usualWarmUp() {
		c.WarmUp = 0
	}
	if !l.x.Settings.WatchLoss {
		c.Rise = 0
	}
	return "calibrated", c
}

func (l *calibratedLearner) State() []checkpoint.NamedTensor {
	all := []checkpoint.NamedTensor{
		{Name: "averages", Value: array.Vector(l.averages)},
		{Name: "calibrated", Value: array.Vector(l.calibrated)},
	}
	if l.watches() {
		all = append(all, checkpoint.NamedTensor{Name: "rise", Value: array.Vector([]float64(l.rise))})
	}
	return all
}

// Prepare leaves F out where there is no B'.
func (l *calibratedLearner) Prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	l.prox, err = l.x.Proximal(&l.kept, batch, tilde, graph.ProximalConfig{Lookahead: l.look, ValuesOnly: true, NoWSD: true, NoFSD: tilde == nil})
	return err
}

// rate is b, the rate of the first group.
func (l *calibratedLearner) rate() float64 { return l.update.rateOf(0) }

// setRate keeps the ratios of the rates at the bounds too.
func (l *calibratedLearner) setRate(b float64) {
	b = min(max(b, l.lo), l.hi)
	for k, ratio := range l.ratios {
		l.update.logRates[k] = l.update.toPhi(b * ratio)
	}
	l.update.Bound()
}

// warmUp is the number of steps of the warm-up, 0 for none.
func (l *calibratedLearner) warmUp() int {
	if ended := int(l.rise[warmUpEnded]); ended > 0 {
		return ended
	}
	if l.c.WarmUp == 1 || l.calibrated[0] == calibratedBefore {
		return 0
	}
	return l.c.WarmUp
}

// warmth is the factor of the warm-up.
func (l *calibratedLearner) warmth(step int) float64 {
	return min(1, float64(step+1)/float64(l.warmUp()))
}

// pace is c_t·R(t) times the factor of the warm-up, for parameter i.
func (l *calibratedLearner) pace(i, step int) float64 {
	return l.warmth(step) * l.search.Correction(i, step+1) * l.mean().slowdown(l.c, l.c.lambda(step))
}

func (l *calibratedLearner) mean() parabola {
	a := l.averages
	return parabola{n: a[0], l: a[1], f: a[2], w: a[3]}
}

// Learn calibrates b at the first meta-step, and tracks it at all of them.
func (l *calibratedLearner) Learn(in *Input) (*record.MetaStats, error) {
	tilde, err := in.Tilde(0)
	if err != nil {
		return nil, err
	}
	if l.calibrated[0] == 0 {
		if err := l.calibrate(in, tilde); err != nil {
			return nil, errors.WithMessage(err, "calibration")
		}
		l.calibrated[0] = calibrated
	}
	e, err := l.search.SearchDirection(rule.Input{T: in.Step + 1, G: in.G, Batch: in.Batch})
	if err != nil {
		return nil, err
	}
	l.fallBack(in.Step)
	b := l.rate()
	p, t, err := l.measure(l.newLine(in.Batch, in.Loss, in.gradient(), e), tilde, b)
	if err != nil {
		return nil, err
	}
	m := &record.MetaStats{Loss: t.Loss, FSD: t.FSD, WSD: b * b * p.w / 2, LambdaFSD: l.c.lambda(in.Step), LambdaWSD: l.c.LambdaWSD}
	m.Q = m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD
	m.GradNorm = math.Abs(b * (b*(p.l+m.LambdaFSD*p.f+m.LambdaWSD*p.w) - p.n))
	switch {
	case !array.IsFinite(p.n + p.l + p.f + p.w):
		m.Skipped = true
		l.setRate(b / 20)
	case p.w > 0 && array.IsFinite((p.n+p.l+p.f)/p.w):
		l.track(p, in.Step)
	case p.w > 0:
		m.Skipped = true // the step is too short to measure anything
	}
	return m, nil
}

// track takes what was measured at a step into the averages and lets b follow them.
func (l *calibratedLearner) track(p parabola, step int) {
	end := l.warmUp()
	if step < end {
		return
	}
	l.average(p)
	if end == 0 || step >= end+settling*l.x.Settings.K {
		l.setRate(min(l.mean().tracked(l.c, l.rate()), l.largest(step)))
	}
}

// largest is the largest b at a step: twice the one that had settled.
func (l *calibratedLearner) largest(step int) float64 {
	switch l.calibrated[0] {
	case calibratedBefore:
		return math.Inf(1)
	case calibrated:
		if step < l.settled() {
			return math.Inf(1)
		}
		l.calibrated[0] = math.Float64bits(2 * l.rate())
	}
	return math.Float64frombits(l.calibrated[0])
}

// settled is the step from which b has settled, after some meta-steps that have moved it.
func (l *calibratedLearner) settled() int {
	step := int(l.c.Growth)
	if l.c.Horizon > 0 {
		step = l.c.Horizon / 4
	}
	return max(step, l.warmUp()+2*settling*l.x.Settings.K)
}

func (l *calibratedLearner) average(p parabola) {
	for i, x := range []float64{p.n, p.l, p.f, p.w} {
		l.averages[i] = l.c.Decay*l.averages[i] + (1-l.c.Decay)*x/p.w
	}
}
