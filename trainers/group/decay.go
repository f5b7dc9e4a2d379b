package group

import (
	"encoding/json"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// roles say of a parameter whether a block has it for its weight matrix, or for the bias.
type roles struct{ matrix, bias map[*graph.Param]bool }

func rolesOf(t *rule.Task) roles {
	r := roles{map[*graph.Param]bool{}, map[*graph.Param]bool{}}
	for _, b := range t.Blocks {
		for j, i := range b.Params {
			r.matrix[t.Params[i]], r.bias[t.Params[i]] = b.Matrix && j == 0, b.Matrix && j > 0
		}
	}
	return r
}

// leaveOut has the weight decay of a started rule or update leave out biases and
// normalisation.
func (r roles) leaveOut(p *part, started any) error {
	decays, err := hasDecay(p.optimizer)
	if err != nil || !decays {
		return err
	}
	n, all := make([]int, len(p.params)), true
	for i, q := range p.params {
		if !r.bias[q] {
			n[i] = weights(q, r.matrix[q])
		}
		all = all && n[i] == q.Value.DataSize()
	}
	if all {
		return nil
	}
	d, ok := started.(rule.Decaying)
	if !ok {
		return errors.Errorf("trainers: groups: %s: the weight decay of %s cannot leave out biases and normalisation: set DecayAll, or its weight_decay to 0", p.title(), p.optimizer.Name())
	}
	d.DecayFirst(n)
	return nil
}

// weights is how many of a parameter's elements, the first ones, are neither bias nor
// normalisation.
func weights(p *graph.Param, matrix bool) int {
	shape, size := p.Value.Shape(), p.Value.DataSize()
	switch {
	case p.Matrix && p.Bias:
		return size - shape[1]
	case p.Matrix && p.Kind == "" && shape[0] == 1: // added to all rows
		return 0
	case p.Matrix || matrix || longAxes(shape) > 1:
		return size
	}
	return 0
}

// longAxes is how many axes are longer than 1.
func longAxes(shape tensor.Shape) (n int) {
	for _, length := range shape {
		if length > 1 {
			n++
		}
	}
	return n
}

// hasDecay tells whether an optimizer, or one within it, has a weight decay above 0: by the
// name that it has in settings.
func hasDecay(o rule.Optimizer) (bool, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return false, errors.Wrapf(err, "trainers: groups: settings of %s", o.Name())
	}
	var settings any
	if err := json.Unmarshal(text, &settings); err != nil {
		return false, errors.Wrapf(err, "trainers: groups: settings of %s", o.Name())
	}
	return decayIn(settings), nil
}

func decayIn(settings any) bool {
	fields, _ := settings.(map[string]any)
	for name, v := range fields {
		if x, ok := v.(float64); ok && name == rule.WeightDecay && x > 0 || decayIn(v) {
			return true
		}
	}
	return false
}
