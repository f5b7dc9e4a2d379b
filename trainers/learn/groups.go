package learn

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
	"github.com/apo-gorgonia/apo/trainers/schedule"
)

// begin takes from the optimizer where the rate of each group starts, and the schedules.
func (f *rates) begin(o rule.Optimizer, t *rule.Task) error {
	own, err := rule.GroupsOf(o, f.params)
	if err != nil {
		return err
	}
	f.initial = make([]float64, f.look.Groups())
	f.factors = groupFactors{of: own.Of, schedules: own.Schedules, iteration: t.Iteration}
	first := make([]int, len(f.initial)) // the parameter of each group, from 1
	for i, k := range f.look.Group {
		if j := first[k] - 1; j >= 0 && own.Of[j] != own.Of[i] {
			return errors.Errorf("trainers: %s: %q and %q are in different groups: they cannot share a learning rate", o.Name(), f.params[j].Name, f.params[i].Name)
		}
		first[k], f.initial[k] = i+1, own.Rates[own.Of[i]]
	}
	return nil
}

// groupFactors are those of the schedules that groups of parameters have of their own.
type groupFactors struct {
	of        []int // the group of each parameter
	schedules []schedule.Schedule
	iteration func(taken int) int // rule.Task.Iteration
	scaled    []*tensor.Dense     // nil where no step needed one
}

// at is the factor on the rate of parameter i at a step, counted from 0 without those that were
// skipped.
func (f *groupFactors) at(i, step int) float64 { return f.schedules[f.of[i]].At(f.iteration(step)) }

// times are the inputs of a lookahead, directions and tangents of each parameter, times the
// factors: the lookahead has one factor for all. Those that are not 1 make copies.
func (f *groupFactors) times(inputs []*tensor.Dense, step int) []*tensor.Dense {
	all := inputs
	for j, d := range inputs {
		factor := f.at(j%len(f.of), step)
		if factor == 1 {
			continue
		}
		if len(f.scaled) != len(inputs) {
			f.scaled = make([]*tensor.Dense, len(inputs))
		}
		if f.scaled[j] == nil {
			f.scaled[j] = d.Clone().(*tensor.Dense)
		}
		array.Copy(f.scaled[j], d)
		array.Scale(f.scaled[j], factor)
		if &all[0] == &inputs[0] {
			all = slices.Clone(inputs)
		}
		all[j] = f.scaled[j]
	}
	return all
}
