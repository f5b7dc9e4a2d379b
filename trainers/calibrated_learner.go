package trainers

import (
	"math"

	"github.com/apo-gorgonia/apo/trainers/internal/array"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// calibratedLearner is Calibrated at work.
type calibratedLearner struct {
	e    *engine
	c    CalibratedConfig
	form *rateForm
	rule prober
	prox *graph.Proximal // values alone
	r    []*tensor.Dense // the rate that is probed
	// averages are those of N/W, L/W, F/W and 1. They start at 0 and are not
	// corrected for it: only their ratios matter.
	averages   []float64
	calibrated []uint64 // one number: 1 after the calibration
}

func newCalibratedLearner(e *engine, c CalibratedConfig) (learner, error) {
	f, ok := e.form.(*rateForm)
	if !ok {
		return nil, errors.Errorf("trainers: Calibrated: %s has no learning rate", e.o.Name())
	}
	if n := len(f.logRates); n != 1 {
		return nil, errors.Errorf("trainers: Calibrated learns one rate for all parameters, not %d", n)
	}
	rule, ok := f.rule.(prober)
	if !ok {
		return nil, errors.Errorf("trainers: Calibrated: %s does not know its step without memory", e.o.Name())
	}
	if err := rule.checkProbe(); err != nil {
		return nil, errors.WithMessagef(err, "trainers: Calibrated: %s", e.o.Name())
	}
	if e.c.noFSD && c.Lambda0 > 0 {
		return nil, errors.Errorf("trainers: Calibrated: lambda0 is %v, but FSD(0) leaves the function-space term out", c.Lambda0)
	}
	l := &calibratedLearner{
		e: e, c: c, form: f, rule: rule, averages: make([]float64, 4), calibrated: make([]uint64, 1),
		r: []*tensor.Dense{tensor.New(tensor.WithShape(1), tensor.WithBacking(make([]float64, 1)))},
	}
	f.pace = l.pace
	return l, nil
}

func (l *calibratedLearner) due(step int) bool { return step%l.e.c.k == 0 }

func (l *calibratedLearner) keeps(step int) bool { return l.due(step + 1) }

// growth is 0: each rate that is set is brought into its bounds.
func (l *calibratedLearner) growth() float64 { return 0 }

func (l *calibratedLearner) forget() {}

func (l *calibratedLearner) memory() int { return 1 }

func (l *calibratedLearner) describe() (string, any) { return "calibrated", l.c }

func (l *calibratedLearner) state() []NamedTensor {
	return []NamedTensor{
		{Name: "averages", Value: tensor.New(tensor.WithShape(4), tensor.WithBacking(l.averages))},
		{Name: "calibrated", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.calibrated))},
	}
}

func (l *calibratedLearner) prepare(batch graph.Batch, tilde []*tensor.Dense) (err error) {
	if l.prox == nil {
		l.prox, err = l.e.proximal(batch, tilde, graph.ProximalConfig{
			Lookahead:  graph.RateLookahead{Group: make([]int, len(l.e.learned)), Linear: true},
			ValuesOnly: true, NoWSD: true,
		})
	}
	return err
}

func (l *calibratedLearner) discard() { l.prox = nil }

// rate is b.
func (l *calibratedLearner) rate() float64 { return l.form.fromPhi(l.form.logRates[0]) }

func (l *calibratedLearner) setRate(b float64) {
	l.form.logRates[0] = l.form.toPhi(b)
	l.form.bound()
}

// pace is c_t·R(t).
func (l *calibratedLearner) pace(step int) float64 {
	return l.rule.correction(step+1) * l.mean().slowdown(l.c, l.c.lambda(step))
}

func (l *calibratedLearner) mean() parabola {
	a := l.averages
	return parabola{n: a[0], l: a[1], f: a[2], w: a[3]}
}

// learn calibrates b at the first visit, and tracks it at all.
func (l *calibratedLearner) learn(v *visit) (*MetaStats, error) {
	tilde, err := v.tilde(0)
	if err != nil {
		return nil, err
	}
	if l.calibrated[0] == 0 {
		if err := l.calibrate(v, tilde); err != nil {
			return nil, errors.WithMessage(err, "calibration")
		}
		l.calibrated[0] = 1
	}
	e, err := l.rule.probe(signal{t: v.step + 1, g: v.g, batch: v.batch})
	if err != nil {
		return nil, err
	}
	b := l.rate()
	p, t, err := l.measure(newProbe(v.batch, v.loss, v.g, e), tilde, b)
	if err != nil {
		return nil, err
	}
	m := &MetaStats{Loss: t.Loss, FSD: t.FSD, WSD: b * b * p.w / 2, LambdaFSD: l.c.lambda(v.step), LambdaWSD: l.c.LambdaWSD}
	m.Q = m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD
	m.GradNorm = math.Abs(b * (b*(p.l+m.LambdaFSD*p.f+m.LambdaWSD*p.w) - p.n))
	switch {
	case !array.IsFinite(p.n + p.l + p.f + p.w):
		m.Skipped = true
		l.setRate(b / 20)
	case p.w > 0 && array.IsFinite((p.n+p.l+p.f)/p.w):
		l.average(p)
		l.setRate(l.mean().tracked(l.c, b))
	case p.w > 0:
		m.Skipped = true // the step is too short to measure anything
	}
	return m, nil
}

func (l *calibratedLearner) average(p parabola) {
	for i, x := range []float64{p.n, p.l, p.f, p.w} {
		l.averages[i] = l.c.Decay*l.averages[i] + (1-l.c.Decay)*x/p.w
	}
}
