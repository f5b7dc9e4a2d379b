package trainers

import (
	"fmt"
	"math"

	"github.com/apo-gorgonia/apo/trainers/internal/array"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// rateForm is a base optimizer whose learning rates, one for each group of
// parameters, are φ: log η, or η itself where linear is set (Section 4.2).
type rateForm struct {
	params   []*graph.Param
	rule     rule
	look     graph.RateLookahead
	logRates []float64 // φ by group; η where linear
	initial  float64   // η at the start
	lo, hi   float64   // bounds of η
	perParam []float64
	descent  array.Descent
	// pace is a learner's factor on the rates of a step, counted from 0; nil for 1.
	pace func(step int) float64
}

func newRateForm(o Optimizer, t *task, c *config) (*rateForm, error) {
	r, err := o.start(t)
	if err != nil {
		return nil, err
	}
	group, err := c.group(t.params)
	if err != nil {
		return nil, err
	}
	f := &rateForm{
		params: t.params, rule: r, initial: o.LearningRate(), lo: c.minRate, hi: c.maxRate,
		look: graph.RateLookahead{Group: group, Linear: c.linear},
	}
	if err := f.look.Check(len(t.params)); err != nil {
		return nil, errors.WithMessage(err, "trainers: groups of parameters")
	}
	if f.descent, err = array.NewDescent(t.params[0].Value.Dtype()); err != nil {
		return nil, err
	}
	f.logRates = make([]float64, f.look.Groups())
	for k := range f.logRates {
		f.logRates[k] = f.toPhi(o.LearningRate())
	}
	f.perParam = make([]float64, len(t.params))
	return f, nil
}

func (f *rateForm) toPhi(rate float64) float64 {
	if f.look.Linear {
		return rate
	}
	return math.Log(rate)
}

// fromPhi is the rate of φ. As long as φ has not moved it is the initial rate
// to the last bit, which e^(log η) need not be.
func (f *rateForm) fromPhi(phi float64) float64 {
	switch {
	case f.look.Linear:
		return phi
	case phi == math.Log(f.initial):
		return f.initial
	}
	return math.Exp(phi)
}

func (f *rateForm) lookahead() graph.Lookahead { return f.look }

func (f *rateForm) phi() []NamedTensor {
	all := make([]NamedTensor, len(f.logRates))
	for k := range all {
		all[k] = NamedTensor{
			Name:  fmt.Sprintf("lr/%d", k),
			Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(f.logRates[k:k+1])),
		}
	}
	return all
}

func (f *rateForm) step(s signal, scale float64, meta func([]*tensor.Dense) error) error {
	s.rates = f.paramRates(s.t-1, scale)
	if m, ok := f.rule.(mover); ok && meta == nil {
		return m.step(s, s.rates)
	}
	d, err := f.rule.directions(s)
	if err != nil {
		return err
	}
	if meta != nil {
		err = meta(d)
	}
	f.descent.Move(f.params, d, f.paramRates(s.t-1, scale))
	return err
}

func (f *rateForm) certain(s signal, scale float64, l learner) bool {
	rates := f.paramRates(s.t-1, scale)
	if l != nil {
		if !array.IsFinite(l.growth()) {
			return false
		}
		highest := scale * max(f.paceAt(s.t-1), 1) * f.hi
		for i, r := range rates {
			rates[i] = max(r, highest)
		}
	}
	return f.rule.certain(s, rates)
}

func (f *rateForm) forget() { f.rule.forget() }

// paramRates is the rate of each parameter at a step.
func (f *rateForm) paramRates(step int, scale float64) []float64 {
	scale *= f.paceAt(step)
	for i, k := range f.look.Group {
		f.perParam[i] = scale * f.fromPhi(f.logRates[k])
	}
	return f.perParam
}

func (f *rateForm) bound() {
	lo, hi := f.toPhi(f.lo), f.toPhi(f.hi)
	for k, v := range f.logRates {
		f.logRates[k] = min(max(v, lo), hi)
	}
}

func (f *rateForm) paceAt(step int) float64 {
	if f.pace == nil {
		return 1
	}
	return f.pace(step)
}

func (f *rateForm) rates(step int, scale float64) []float64 {
	scale *= f.paceAt(step)
	out := make([]float64, len(f.logRates))
	for k, v := range f.logRates {
		out[k] = scale * f.fromPhi(v)
	}
	return out
}

// wrapped is the rule.
func (f *rateForm) wrapped() any { return f.rule }

// fallbacks counts what the rule had to leave out.
func (f *rateForm) fallbacks() int {
	if r, ok := f.rule.(faller); ok {
		return r.fallbacks()
	}
	return 0
}

func (f *rateForm) norms() []PrecondNorms { return nil }
func (f *rateForm) state() []NamedTensor  { return f.rule.state() }
