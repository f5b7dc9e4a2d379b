package precision

import (
	"fmt"

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

// RoundWeights rounds weights that a step, counted from 0, has moved: to the nearest
// number or, where Stochastic is set, to one of two. Beyond the range they become infinite.
func (p *Precision) RoundWeights(params []*graph.Param, step int) {
	for k, q := range params {
		if !p.rounds(q) {
			continue
		}
		x := apoops.Elements[float32](q.Value)
		key := half.Key(p.seed, uint64(k), int64(step))
		par.For(len(x), par.Grain, func(lo, hi int) {
			if p.Stochastic {
				half.RoundStochastic(p.Format, x[lo:hi], key, lo)
			} else {
				half.Round(p.Format, x[lo:hi])
			}
		})
	}
}
