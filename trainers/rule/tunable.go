package rule

import (
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Hyperparameter is a positive number besides the learning rate that the directions of a
// rule depend on, and that APO can learn: φ has its logarithm.
type Hyperparameter struct {
	Name  string  // that of its field in JSON
	Value float64 // where the rule starts
}

// The names of the hyperparameters that the rules of this module have.
const (
	WeightDecay = "weight_decay"
	Damping     = "damping"
	Epsilon     = "eps"
)

// Tunable is what APO needs to learn hyperparameters of a rule. At a step with a meta-step
// Look comes before Directions, or the Step of a Fused, which takes the step with the values
// that the meta-step has left.
type Tunable interface {
	// Hyperparameters lists those that can be learned.
	Hyperparameters() []Hyperparameter
	// Tune chooses those that are learned, by name, before the first step. The error says
	// why one of them cannot be.
	Tune(names []string) error
	// Set sets the values of those that Tune has chosen, in its order, before each step and
	// after each meta-step.
	Set(values []float64)
	// Look is Directions at the values of the last Set, but leaves the state so that the
	// step can still be taken with others. tangents[j][i] is ∂d_i/∂log h_j. The arrays are
	// valid until the next step.
	Look(in Input) (d []*tensor.Dense, tangents [][]*tensor.Dense, err error)
}

// CheckTuned is a Tune for hyperparameters of which all can be learned.
func CheckTuned(names []string, have []Hyperparameter) error {
	for _, name := range names {
		if _, err := TunedValue(name, have); err != nil {
			return err
		}
	}
	return nil
}

// TunedValue is where a hyperparameter starts to be learned. The error says that it is not
// there, or is 0.
func TunedValue(name string, have []Hyperparameter) (float64, error) {
	var others []string
	for _, h := range have {
		switch {
		case h.Name != name:
			others = append(others, h.Name)
		case !(h.Value > 0):
			return 0, errors.Errorf("%s is %v: log %s is learned, so it must start above 0", name, h.Value, name)
		default:
			return h.Value, nil
		}
	}
	if others == nil {
		return 0, errors.Errorf("there is no %s that can be learned", name)
	}
	return 0, errors.Errorf("there is no %s that can be learned, only %s", name, strings.Join(others, ", "))
}
