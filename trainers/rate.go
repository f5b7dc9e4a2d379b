package trainers

import (
	"fmt"
	"math"

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
	descend  func(p *graph.Param, d *tensor.Dense, rate float64)
}

func newRateForm(o Optimizer, params []*graph.Param, group []int, linear bool, lo, hi float64) (*rateForm, error) {
	r, err := o.start(params)
	if err != nil {
		return nil, err
	}
	f := &rateForm{params: params, rule: r, look: graph.RateLookahead{Group: group, Linear: linear}, initial: o.LearningRate(), lo: lo, hi: hi}
	if err := f.look.Check(len(params)); err != nil {
		return nil, errors.WithMessage(err, "trainers: groups of parameters")
	}
	f.logRates = make([]float64, f.look.Groups())
	for k := range f.logRates {
		f.logRates[k] = f.toPhi(o.LearningRate())
	}
	f.perParam = make([]float64, len(params))
	f.descend = descender(params[0].Value.Dtype())
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

func (f *rateForm) step(t int, scale float64, g []*tensor.Dense, meta func([]*tensor.Dense) error) error {
	if meta == nil {
		return f.rule.step(t, f.paramRates(scale), g)
	}
	d, err := f.rule.directions(t, g)
	if err != nil {
		return err
	}
	err = meta(d)
	for i, rate := range f.paramRates(scale) {
		f.descend(f.params[i], d[i], rate)
	}
	return err
}

// descender is θ ← θ - rate·d for the dtype.
func descender(dt tensor.Dtype) func(p *graph.Param, d *tensor.Dense, rate float64) {
	if dt == tensor.Float32 {
		var v vectors[float32]
		return func(p *graph.Param, d *tensor.Dense, rate float64) {
			v.descend(p.Value.Float32s(), d.Float32s(), float32(rate))
		}
	}
	var v vectors[float64]
	return func(p *graph.Param, d *tensor.Dense, rate float64) {
		v.descend(p.Value.Float64s(), d.Float64s(), rate)
	}
}

// paramRates is the rate of each parameter.
func (f *rateForm) paramRates(scale float64) []float64 {
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

func (f *rateForm) rates(scale float64) []float64 {
	out := make([]float64, len(f.logRates))
	for k, v := range f.logRates {
		out[k] = scale * f.fromPhi(v)
	}
	return out
}

func (f *rateForm) norms() []PrecondNorms { return nil }
func (f *rateForm) state() []NamedTensor  { return f.rule.state() }

func zerosLike(params []*graph.Param) []*tensor.Dense {
	z := make([]*tensor.Dense, len(params))
	for i, p := range params {
		z[i] = tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.Of(p.Value.Dtype()))
	}
	return z
}
