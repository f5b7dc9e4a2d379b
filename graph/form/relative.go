package form

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Relative is how a form is learned by the relative gradient of Q: the gradient by
// a change Y of the factors that Learner.Change defines, such as A(I+Y_A), at Y = 0.
type Relative interface {
	// Phi lists the arrays that the relative gradient is taken by.
	Phi(rows, cols int) []Factor
	// Constants lists what else the lookahead reads, in general the factors.
	Constants(rows, cols int) []Factor
	// Lookahead is U = P·G in the shape of G, differentiable by phi alone.
	Lookahead(constants, phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error)
	// Energies are what else a step needs of the graph, computed from the gradients
	// of Q by phi and the scalar ε, the part of the update that is looked ahead.
	// There may be none.
	Energies(dphi gorgonia.Nodes, epsilon *gorgonia.Node) (gorgonia.Nodes, error)
	// Start makes what learns p, which the same form has started.
	Start(p Preconditioner) (Learner, error)
}

// Learner takes relative steps on the factors of one Preconditioner.
type Learner interface {
	// Phi and Constants are the arrays to feed to Relative.Lookahead.
	Phi() []*tensor.Dense
	Constants() []*tensor.Dense
	// Step moves the factors. It may overwrite s.DPhi.
	Step(s Step)
	// Change moves the factors by the multiple t of the change y, arrays in the
	// shapes of Phi: A ← A(I + t·Y_A). What the graph computes is d/dt at t = 0.
	Change(y []*tensor.Dense, t float64)
	// State lists the learner's arrays for a checkpoint.
	State() []Array
}

// Array is a named array.
type Array struct {
	Name  string // such as "v"
	Value *tensor.Dense
}

// Step is what a relative step is computed from.
type Step struct {
	Number   float64 // counts steps from 1
	Size     float64 // of the relative change: above 0, below 1
	Decay    float64 // of running averages: at least 0, below 1
	Epsilon  float64 // ε, the part of the update that was looked ahead
	Gradient *tensor.Dense
	DPhi     []*tensor.Dense // ε times the relative gradient of Q/ε
	Energies []*tensor.Dense
}

// learnable is a Preconditioner that knows what learns it.
type learnable interface{ learner() Learner }

func startLearner(p Preconditioner) (Learner, error) {
	if l, ok := p.(learnable); ok {
		return l.learner(), nil
	}
	return nil, errors.Errorf("form: a %T is not learned by the relative gradient", p)
}
