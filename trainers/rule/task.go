package rule

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// Task is what a rule is started for: the parameters it moves and, where they
// are a model's weights, what the curvature of its loss is computed from.
type Task struct {
	// Params are the parameters that are learned. Their arrays stay the same during
	// the training.
	Params []*graph.Param
	// Model has Params and the model's statistics; nil for φ.
	Model []*graph.Param
	// Blocks are the matrices of Params; nil for φ.
	Blocks []graph.Block
	// Source builds the loss; nil for φ.
	Source graph.Source
	// Random is the source of dropout masks; it may be nil.
	Random *apoops.Random
	Seed   uint64
	// Targets gives the targets of the Fisher matrix at a step, counted from 0;
	// nil where the rule draws them itself.
	Targets func(step int) []*tensor.Dense
	// Precision is what the training keeps in 16 bits; nil for nothing, and for φ.
	Precision *precision.Precision
	// Graphs is the Limit of graph.Shapes, for graphs of each kind.
	Graphs int
	// Members take the same steps with the same state, and may divide what is costly among
	// them; nil for one process, and for φ.
	Members collective.Communicator
	// Skipped is how many steps were skipped so far, which the rule does not count but
	// schedules do; nil for none.
	Skipped func() int
	// Parts is the number of equal parts in which a mini-batch is computed; 0 and 1 for any.
	Parts int
}

// Iteration is the number of a step among all, those that were skipped too, from its number
// among those that were taken. Both count from 0.
func (t *Task) Iteration(taken int) int {
	if t.Skipped == nil {
		return taken
	}
	return taken + t.Skipped()
}

// Equal is the smallest number from n on that parts divides. Parts of 0 and 1 divide all.
func Equal(n, parts int) int {
	if parts <= 1 {
		return n
	}
	return (n + parts - 1) / parts * parts
}

// Input is what a rule gets at a step.
type Input struct {
	// T counts steps from 1.
	T int
	// G is ∇J_B(θ), an array for each of Task.Params. It must not be changed. It is nil
	// for the parameters of blocks that have rows.
	G []*tensor.Dense
	// Rows are the factors of the gradient by block of Rule.Rows, which only a rule with
	// such gets, and only from a Trainer. Those without rows have their gradient in G;
	// Rows is nil where all do.
	Rows []graph.Rows
	// Packed is the gradient in place of G, an array for each of Task.Params, where that is
	// in 16 bits. Only the Step of a Fused that is a PackedReader gets it.
	Packed []graph.Packed
	// Norm is the Euclidean norm of the gradient, or a bound of it where there are Rows.
	Norm float64
	// Batch is what G was computed on, Loss the loss there; empty and 0 for φ.
	Batch graph.Batch
	Loss  float64
	// Rates are the learning rates of each parameter before a meta-step and without
	// the schedule's factor, which shortens a step after it was clipped (KLClip); nil
	// where they are not known.
	Rates []float64
	// Scale is the schedule's factor on them at this step.
	Scale float64
}
