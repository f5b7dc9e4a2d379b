package precision

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// rounds reports whether the array of a parameter holds numbers of the format.
func (p *Precision) rounds(q *graph.Param) bool {
	return p != nil && !p.MasterWeights && !q.Statistic
}

// CheckWeights reports the first of the values that would be weights, an array for each
// parameter, that is beyond the range of the format, with the parameter's name.
func (p *Precision) CheckWeights(params []*graph.Param, values []*tensor.Dense) error {
	if p == nil {
		return nil
	}
	for i, q := range params {
		if q.Statistic {
			continue
		}
		if err := p.checkRange(q.Name, apoops.Elements[float32](values[i])); err != nil {
			return err
		}
	}
	return nil
}

// Holds reports whether the graphs see a parameter's finite numbers as finite: those that
// are kept in float32 may be beyond the range of the format.
func (p *Precision) Holds(q *graph.Param) bool {
	return p == nil || q.Statistic || !beyond(apoops.Elements[float32](q.Value), float32(p.Format.Max()))
}

// Range says in words where the format ends, "" for a nil Precision.
func (p *Precision) Range() string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf(" (%v ends at ±%v)", p.Format, p.Format.Max())
}

// StartWeights rounds weights to the nearest numbers of the format. They are left as they
// are, with an error, where one is beyond its range.
func (p *Precision) StartWeights(params []*graph.Param) error {
	if p != nil {
		p.model = params
	}
	values := make([]*tensor.Dense, len(params))
	for i, q := range params {
		values[i] = q.Value
	}
	if err := p.CheckWeights(params, values); err != nil {
		return err
	}
	for _, q := range params {
		if p.rounds(q) {
			half.Round(p.Format, apoops.Elements[float32](q.Value))
		}
	}
	return nil
}

// Begin begins a step, counted from 0.
func (p *Precision) Begin(step int) {
	if p != nil {
		p.step, p.rounded = step, 0
	}
}

// Rounder rounds the weights of a parameter that a step has moved: to the nearest number
// or, where Stochastic is set, to one of two. Beyond the range they become infinite. The
// zero value leaves them as they are.
type Rounder struct {
	low, stochastic bool
	format          apoops.Format
	key             uint64
}

// Rounds reports whether it changes anything. Such weights are of float32.
func (r Rounder) Rounds() bool { return r.low }

// Round rounds elements of the parameter's array, from the given one on. Parts may be rounded
// in any order.
func (r Rounder) Round(x []float32, first int) {
	switch {
	case !r.low:
	case r.stochastic:
		half.RoundStochastic(r.format, x, r.key, first)
	default:
		half.Round(r.format, x)
	}
}

// rounder is the Rounder of parameter k of the model in the step that has begun.
func (p *Precision) rounder(k int, q *graph.Param) Rounder {
	if !p.rounds(q) {
		return Rounder{}
	}
	return Rounder{low: true, stochastic: p.Stochastic, format: p.Format, key: half.Key(p.seed, uint64(k), int64(p.step))}
}

// Rounders sets to the Rounder of each parameter in the step that has begun, for a rule that
// rounds weights as it moves them and calls Rounded then. Parameters that are not the model's
// are left as they are.
func (p *Precision) Rounders(to []Rounder, params []*graph.Param) {
	clear(to)
	if p == nil {
		return
	}
	for k, q := range p.model {
		if i := slices.Index(params, q); i >= 0 {
			to[i] = p.rounder(k, q)
		}
	}
}

// Rounded says that so many parameters more are rounded in the step that has begun.
func (p *Precision) Rounded(params int) {
	if p != nil {
		p.rounded += params
	}
}

// RoundWeights rounds the weights of the model that the step has moved, unless that was
// done as it moved all of them. Rounding again changes nothing.
func (p *Precision) RoundWeights() {
	if p == nil {
		return
	}
	all := len(graph.Learned(p.model))
	if p.rounded >= all {
		return
	}
	p.rounded = all
	for k, q := range p.model {
		if r := p.rounder(k, q); r.low {
			x := apoops.Elements[float32](q.Value)
			par.For(len(x), par.Grain, func(lo, hi int) { r.Round(x[lo:hi], lo) })
		}
	}
}
