package rule

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// Rule is a started update rule: θ_i ← θ_i - η_i·d_i, where the directions d
// depend on the state and the gradients, not on η.
//
// A type outside this module embeds Base and implements Directions and State.
type Rule interface {
	// Directions advances the state, leaves the weights as they are and returns the
	// directions d, one for each parameter. They may be the arrays of the gradients
	// or of the state: they are valid until the next step and must not be changed.
	Directions(in Input) ([]*tensor.Dense, error)
	// State lists the arrays of the state, which a checkpoint keeps and Load
	// overwrites. A rule without state has none.
	State() []checkpoint.NamedTensor

	// StaysFinite reports, before a step at these learning rates, one for each
	// parameter, whether weights and state are certain to stay finite. After the
	// answer false, Invalidate is called and the step can be undone.
	StaysFinite(in Input, rates []float64) bool
	// Reach bounds how far the step of the last call of StaysFinite moves an element of
	// the weights; +Inf where that is not known.
	Reach() float64
	// Invalidate is called when weights or state were changed by other means than a
	// step: bounds that the rule keeps no longer hold.
	Invalidate()
	// Replaced is called when all weights were replaced by others (LoadWeights): weights
	// that the rule keeps start from them anew.
	Replaced()

	// Fallbacks is the number of times that the rule used older statistics or the
	// plain gradient because new statistics could not be used.
	Fallbacks() int
	// Notes name the parameters that the rule treats in a simpler form than its own.
	Notes() []string

	// Fused is the way to take a step in one pass over memory, nil for none.
	Fused() Fused
	// LineSearch gives what Calibrated needs, nil for a rule without.
	LineSearch() LineSearch
	// Tunable gives what APO needs to learn other hyperparameters than rates, nil for a
	// rule without.
	Tunable() Tunable
	// Iterates are weights besides θ, nil for a rule without.
	Iterates() Iterates
	// Graphs are the rule's own graphs, nil for a rule without.
	Graphs() Graphs
	// Rows says which gradients the rule takes as rows (Input.Rows), nil for none.
	Rows() graph.RowReader
}

// Fused advances the state and moves the weights in one pass over memory.
type Fused interface {
	// Step takes a step at these learning rates, one for each parameter. The bits are
	// those of Directions followed by θ ← θ - η·d.
	Step(in Input, rates []float64) error
}

// PackedReader is a Fused whose Step takes gradients in 16 bits (Input.Packed).
type PackedReader interface {
	Fused
	// TakesPacked reports whether it does.
	TakesPacked() bool
}

// Iterates are sequences of weights that a rule has besides θ, which gradients are taken
// at.
type Iterates interface {
	// Moved follows a step θ_i ← θ_i - rate_i·d_i at the rates of after the meta-step, with
	// the directions that Directions has returned. It may move θ further, independently of
	// the rates: the lookahead does not see that.
	Moved(in Input, rates []float64) error
	// Evaluated sets to to the weights that Evaluate and SaveWeights take in the place of θ.
	Evaluated(to []*tensor.Dense)
}

// Graphs are the graphs that a rule builds beside that of the gradient.
type Graphs interface {
	// Prepare chooses those for batches of these shapes, and builds them where they are
	// not kept (Task.Graphs).
	Prepare(batch graph.Batch) error
}

// Base has the methods of Rule that few rules need.
type Base struct{}

// StaysFinite is false: each step is checked after it was taken.
func (Base) StaysFinite(Input, []float64) bool { return false }

// Reach is +Inf.
func (Base) Reach() float64 { return math.Inf(1) }

// Invalidate does nothing.
func (Base) Invalidate() {}

// Replaced does nothing.
func (Base) Replaced() {}

// Fallbacks is 0.
func (Base) Fallbacks() int { return 0 }

// Notes has none.
func (Base) Notes() []string { return nil }

// Fused is nil.
func (Base) Fused() Fused { return nil }

// LineSearch is nil.
func (Base) LineSearch() LineSearch { return nil }

// Tunable is nil.
func (Base) Tunable() Tunable { return nil }

// Iterates is nil.
func (Base) Iterates() Iterates { return nil }

// Graphs is nil.
func (Base) Graphs() Graphs { return nil }

// Rows is nil.
func (Base) Rows() graph.RowReader { return nil }
