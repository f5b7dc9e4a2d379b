package parity

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// Fixture is a reference run, ready to be replayed.
type Fixture struct {
	Steps []Step

	model      graph.Model
	loss       graph.Loss
	rule       trainers.Optimizer
	options    []trainers.Option
	theta, phi []entry
	theta0     [][]float64
	phi0       [][]float64 // nil: the initial φ of the rule
}

// Step is one step of a reference run: its inputs and its results. A number is an
// array of one element. Arrays are listed by layer, those of φ in the order of
// Trainer.Phi.
type Step struct {
	Batch graph.Batch
	Tilde []*tensor.Dense // inputs of B', nil without a function-space term
	// Sampled are the sampled targets for the Fisher matrix, nil for rules without.
	Sampled []*tensor.Dense
	Loss    []float64   // J_B(θ)
	Grad    [][]float64 // ∇J_B(θ)
	Theta   [][]float64 // θ after the step
	Phi     [][]float64 // φ after the step, nil if it is not given
	Meta    *Meta       // nil without a meta-step
}

// Meta has the terms of Q and its gradient at the φ before the meta-step.
type Meta struct {
	Q, Loss, FSD, WSD []float64
	DPhi              [][]float64
}
