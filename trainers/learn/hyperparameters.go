package learn

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Hyperparameter is a hyperparameter of the update rule besides its learning rate that is
// learned, one value h for all parameters, within [Lo, Hi]. φ is log h, from the value that
// the optimizer has.
type Hyperparameter struct {
	Name   string // of rule.Hyperparameter
	Lo, Hi float64
}

// hyperparameters are those of a rule that are learned beside its rates.
type hyperparameters struct {
	rule    rule.Tunable
	settled []Hyperparameter
	initial []float64
	logs    []float64 // φ
	values  []float64
}

// newHyperparameters chooses those of the settings; nil for none.
func newHyperparameters(o rule.Optimizer, r rule.Rule, s *Settings) (*hyperparameters, error) {
	if len(s.Hyperparameters) == 0 || s.K == 0 {
		return nil, nil
	}
	h := &hyperparameters{rule: r.Tunable(), settled: s.Hyperparameters, values: make([]float64, len(s.Hyperparameters))}
	var have []rule.Hyperparameter
	if h.rule != nil {
		have = h.rule.Hyperparameters()
	}
	var names []string
	for _, p := range h.settled {
		value, err := rule.TunedValue(p.Name, have)
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: learning %s of %s", p.Name, o.Name())
		}
		if value < p.Lo || value > p.Hi {
			return nil, errors.Errorf("trainers: learning %s of %s: it is %v at the start, outside [%v, %v]", p.Name, o.Name(), value, p.Lo, p.Hi)
		}
		names, h.initial, h.logs = append(names, p.Name), append(h.initial, value), append(h.logs, math.Log(value))
	}
	return h, errors.WithMessagef(h.rule.Tune(names), "trainers: learning hyperparameters of %s", o.Name())
}

// len is their number.
func (h *hyperparameters) len() int {
	if h == nil {
		return 0
	}
	return len(h.logs)
}

// value is that of φ. As long as φ has not moved it is the initial value to the last bit.
func (h *hyperparameters) value(j int) float64 {
	if h.logs[j] == math.Log(h.initial[j]) {
		return h.initial[j]
	}
	return math.Exp(h.logs[j])
}

// set has the rule take the values of φ.
func (h *hyperparameters) set() {
	if h == nil {
		return
	}
	for j := range h.values {
		h.values[j] = h.value(j)
	}
	h.rule.Set(h.values)
}

// look is the lookahead's inputs: the directions, then the tangents of each.
func (h *hyperparameters) look(in rule.Input) ([]*tensor.Dense, error) {
	d, tangents, err := h.rule.Look(in)
	if err != nil {
		return nil, err
	}
	all := append([]*tensor.Dense(nil), d...)
	for _, t := range tangents {
		all = append(all, t...)
	}
	return all, nil
}

// phi lists φ.
func (h *hyperparameters) phi() (all []checkpoint.NamedTensor) {
	for j := range h.len() {
		all = append(all, checkpoint.NamedTensor{Name: h.settled[j].Name, Value: array.Vector(h.logs[j : j+1])})
	}
	return all
}

// bound brings φ back into its bounds.
func (h *hyperparameters) bound() {
	for j := range h.len() {
		h.logs[j] = min(max(h.logs[j], math.Log(h.settled[j].Lo)), math.Log(h.settled[j].Hi))
	}
}

// byName are the values now, nil for none.
func (h *hyperparameters) byName() map[string]float64 {
	if h == nil {
		return nil
	}
	all := make(map[string]float64, len(h.logs))
	for j, p := range h.settled {
		all[p.Name] = h.value(j)
	}
	return all
}
