package learn

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Update is an update θ ← u(θ, φ, state', g) whose parameters φ can be learned.
type Update interface {
	// Advance advances the state with the gradients of a step and returns the inputs
	// of the lookahead, valid until the next step. scale is the schedule's factor.
	// Without lookahead there is nothing to return, and the state may be left for
	// Move to advance.
	Advance(in rule.Input, scale float64, lookahead bool) ([]*tensor.Dense, error)
	// Move moves the weights with φ as it is now. After an error they are as before.
	Move() error

	// Lookahead is the same update as a graph.
	Lookahead() graph.Lookahead
	// Phi lists φ, which a learner moves in place.
	Phi() []checkpoint.NamedTensor
	// Bound brings φ back into its bounds after a meta-step.
	Bound()
	// Rates are the learning rates of a step, counted from 0; none for a
	// preconditioner.
	Rates(step int, scale float64) []float64
	// Hyperparameters are the values of the others that are learned, by name; nil for none.
	Hyperparameters() map[string]float64
	// Norms are the norms of the factors of a preconditioner, nil for rates.
	Norms() []record.PrecondNorms
	// State lists the rule's arrays, without φ.
	State() []checkpoint.NamedTensor

	// StaysFinite reports, before a step, whether weights, state and φ are certain to
	// stay finite. growth is how far a meta-step at this step may move an element of
	// φ; without a meta-step moves is false. After the answer false, Invalidate is
	// called.
	StaysFinite(in rule.Input, scale float64, moves bool, growth float64) bool
	// The others are those of rule.Rule.
	Invalidate()
	Replaced()
	Fallbacks() int
	Notes() []string
	Graphs() rule.Graphs
	Rows() graph.RowReader
	Iterates() rule.Iterates
}

// PackedUpdate is an Update that may take gradients in 16 bits (rule.Input.Packed) at
// steps without lookahead.
type PackedUpdate interface {
	Update
	// TakesPacked reports whether it does.
	TakesPacked() bool
}

// TakesPacked reports whether an Update takes gradients in 16 bits.
func TakesPacked(u Update) bool {
	p, ok := u.(PackedUpdate)
	return ok && p.TakesPacked()
}

// Updater is an optimizer whose φ are no learning rates: it makes an update of its
// own in place of a rule.
type Updater interface {
	rule.Optimizer
	// Update makes the update for a task.
	Update(t *rule.Task, s *Settings) (Update, error)
	// Learner makes what learns φ by default; nil stands for NewGradient.
	Learner() NewLearner
}

// MayUpdate is an optimizer that is an Updater with some settings.
type MayUpdate interface {
	rule.Optimizer
	// Updater is nil for one with learning rates.
	Updater() Updater
}

// UpdaterOf tells whether an optimizer is an Updater.
func UpdaterOf(o rule.Optimizer) (u Updater, ok bool) {
	if may, is := o.(MayUpdate); is {
		u = may.Updater()
		return u, u != nil
	}
	u, ok = o.(Updater)
	return u, ok
}

// NewUpdate makes the update of an optimizer: its own or, for a rule, that of its
// learning rates.
func NewUpdate(o rule.Optimizer, t *rule.Task, s *Settings) (Update, error) {
	if own, ok := UpdaterOf(o); ok {
		return own.Update(t, s)
	}
	return newRates(o, t, s)
}
