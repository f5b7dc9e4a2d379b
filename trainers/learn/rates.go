package learn

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// rates is the update by a rule whose learning rates, one for each group of
// parameters, are φ: log η, or η itself where linear is set (Section 4.2). Behind them φ
// has the logarithms of other hyperparameters, where those are learned.
type rates struct {
	params   []*graph.Param
	o        rule.Optimizer
	rule     rule.Rule
	fused    rule.Fused    // nil for a rule without
	iterates rule.Iterates // nil for a rule without
	look     graph.RateLookahead
	hyper    *hyperparameters // nil for none
	logRates []float64        // φ by group; η where linear
	initial  []float64        // η at the start, by group
	factors  groupFactors
	lo, hi   float64 // bounds of η
	perParam []float64
	clip     []float64 // rule.Input.Rates
	descent  array.Descent
	// pace is a learner's factor on the rate of parameter i at a step, counted from 0; nil for 1.
	pace func(i, step int) float64

	// The step that Advance began.
	in         rule.Input
	scale      float64
	directions []*tensor.Dense // nil where Move advances the state
	looked     bool            // the step's directions are to be computed once more
}

func newRates(o rule.Optimizer, t *rule.Task, s *Settings) (*rates, error) {
	r, err := rule.Start(o, t)
	if err != nil {
		return nil, err
	}
	group, err := s.Group(t.Params)
	if err != nil {
		return nil, err
	}
	f := &rates{
		params: t.Params, o: o, rule: r, iterates: r.Iterates(), lo: s.MinRate, hi: s.MaxRate,
		look: graph.RateLookahead{Group: group, Linear: s.Linear},
	}
	if err := f.look.Check(len(t.Params)); err != nil {
		return nil, errors.WithMessage(err, "trainers: groups of parameters")
	}
	if err := f.begin(o, t); err != nil {
		return nil, err
	}
	if f.descent, err = array.NewDescent(t.Params[0].Value.Dtype()); err != nil {
		return nil, err
	}
	if f.hyper, err = newHyperparameters(o, r, s); err != nil {
		return nil, err
	}
	f.fused = r.Fused()
	f.look.Tangents = f.hyper.len()
	f.logRates = make([]float64, f.look.Groups())
	for k, rate := range f.initial {
		f.logRates[k] = f.toPhi(rate)
	}
	f.perParam, f.clip = make([]float64, len(t.Params)), make([]float64, len(t.Params))
	return f, nil
}

func (f *rates) toPhi(rate float64) float64 {
	if f.look.Linear {
		return rate
	}
	return math.Log(rate)
}

// rateOf is the rate of group k. As long as φ has not moved it is the initial rate to the
// last bit, which e^(log η) need not be.
func (f *rates) rateOf(k int) float64 {
	switch phi := f.logRates[k]; {
	case f.look.Linear:
		return phi
	case phi == math.Log(f.initial[k]):
		return f.initial[k]
	default:
		return math.Exp(phi)
	}
}

func (f *rates) Lookahead() graph.Lookahead { return f.look }

func (f *rates) Phi() []checkpoint.NamedTensor {
	all := make([]checkpoint.NamedTensor, len(f.logRates))
	for k := range all {
		all[k] = checkpoint.NamedTensor{
			Name:  fmt.Sprintf("lr/%d", k),
			Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(f.logRates[k:k+1])),
		}
	}
	return append(all, f.hyper.phi()...)
}

// Advance leaves the state to Move where nobody asks for the directions and the rule
// moves the weights in the same pass, and where the directions depend on φ.
func (f *rates) Advance(in rule.Input, scale float64, lookahead bool) ([]*tensor.Dense, error) {
	for i, k := range f.look.Group {
		f.clip[i] = f.paceAt(i, in.T-1) * f.rateOf(k)
	}
	in.Rates, in.Scale = f.clip, scale
	f.in, f.scale, f.directions = in, scale, nil
	f.hyper.set()
	if f.looked = lookahead && f.hyper != nil; f.looked {
		d, err := f.hyper.look(in)
		return f.factors.times(d, in.T-1), err
	}
	if !lookahead && f.fused != nil {
		return nil, nil
	}
	var err error
	if f.directions, err = rule.Directions(f.o, f.rule, f.params, in); err != nil || !lookahead {
		return nil, err
	}
	return f.factors.times(f.directions, in.T-1), nil
}

// TakesPacked implements PackedUpdate.
func (f *rates) TakesPacked() bool {
	r, ok := f.fused.(rule.PackedReader)
	return ok && r.TakesPacked()
}

func (f *rates) Move() error {
	rates := f.paramRates(f.in.T-1, f.scale)
	if f.looked {
		f.hyper.set()
		if f.fused == nil {
			var err error
			if f.directions, err = rule.Directions(f.o, f.rule, f.params, f.in); err != nil {
				return err
			}
		}
	}
	if f.directions == nil {
		return f.fused.Step(f.in, rates)
	}
	f.descent.Move(f.params, f.directions, rates)
	if f.iterates != nil {
		return f.iterates.Moved(f.in, rates)
	}
	return nil
}

func (f *rates) Iterates() rule.Iterates { return f.iterates }

func (f *rates) StaysFinite(in rule.Input, scale float64, moves bool, growth float64) bool {
	rates := f.paramRates(in.T-1, scale)
	f.hyper.set()
	if moves {
		if !array.IsFinite(growth) || f.hyper != nil {
			return false
		}
		for i, r := range rates {
			highest := scale * max(f.paceAt(i, in.T-1), 1) * f.hi
			rates[i] = max(r, highest*f.factors.at(i, in.T-1))
		}
	}
	return f.rule.StaysFinite(in, rates)
}

func (f *rates) Invalidate() { f.rule.Invalidate() }

func (f *rates) Replaced() { f.rule.Replaced() }

// paramRates is the rate of each parameter at a step.
func (f *rates) paramRates(step int, scale float64) []float64 {
	for i, k := range f.look.Group {
		f.perParam[i] = scale * f.paceAt(i, step) * f.factors.at(i, step) * f.rateOf(k)
	}
	return f.perParam
}

func (f *rates) Bound() {
	lo, hi := f.toPhi(f.lo), f.toPhi(f.hi)
	for k, v := range f.logRates {
		f.logRates[k] = min(max(v, lo), hi)
	}
	f.hyper.bound()
}

func (f *rates) paceAt(i, step int) float64 {
	if f.pace == nil {
		return 1
	}
	return f.pace(i, step)
}

func (f *rates) Rates(step int, scale float64) []float64 {
	out := make([]float64, len(f.logRates))
	for i, k := range f.look.Group {
		out[k] = scale * f.paceAt(i, step) * f.factors.at(i, step) * f.rateOf(k)
	}
	return out
}

func (f *rates) Hyperparameters() map[string]float64 { return f.hyper.byName() }

func (f *rates) Fallbacks() int { return f.rule.Fallbacks() }

func (f *rates) Notes() []string { return f.rule.Notes() }

func (f *rates) Graphs() rule.Graphs { return f.rule.Graphs() }

// Rows is nil where a learner sets the pace: it looks along a line, for which it needs
// the gradient.
func (f *rates) Rows() graph.RowReader {
	if f.pace != nil {
		return nil
	}
	return f.rule.Rows()
}

func (f *rates) Norms() []record.PrecondNorms    { return nil }
func (f *rates) State() []checkpoint.NamedTensor { return f.rule.State() }
