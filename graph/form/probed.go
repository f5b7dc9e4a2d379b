package form

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Probed is how a form is learned from probes of the function-space discrepancy: for
// random q with E qqᵀ the Hessian of the discrepancy in the model's outputs y, the
// gradient of <q, y> by a block's weights has the second moment F, the block's part of
// the Gauss-Newton matrix. P goes towards (F + d)⁻¹, the minimiser of Theorem 1's
// approximated objective times λ_FSD, with d = λ_WSD/λ_FSD.
type Probed interface {
	// Rows reports whether Step reads the rows X and Z, not Squares.
	Rows() bool
	// Phi lists the arrays of φ that a step reads and rewrites: all of φ, packed.
	Phi(rows, cols int) []Factor
	// State lists what a step reads and rewrites besides φ. It starts at 0.
	State(rows, cols int) []Factor
	// Step adds one step to a graph.
	Step(in ProbeInput) (ProbeStep, error)
	// Start makes what keeps the arrays for p, which the same form has started.
	Start(p Preconditioner) (ProbeLearner, error)
}

// ProbeInput are the nodes that a step is computed from.
type ProbeInput struct {
	// X are n rows of inputs (n×rows, the 1 of the bias included), Z the gradients of
	// <q, y> by the outputs of the same uses of the layer (n×cols), scaled so that
	// F = E vec(x zᵀ)vec(x zᵀ)ᵀ. Nil where Probed.Rows is false.
	X, Z *gorgonia.Node
	// Squares are unbiased estimates of the diagonal of F, rows×cols. Nil where
	// Probed.Rows is true.
	Squares *gorgonia.Node
	// Phi and State are in the order and shapes of Probed.Phi and Probed.State.
	Phi, State gorgonia.Nodes
	// Hyper are three numbers: d, the decay w of running averages, 0 to 1, and τ of the
	// step of subspaces.
	Hyper *gorgonia.Node
}

// ProbeStep are the nodes of a step's results. All come from the old arrays: they take
// effect when they are copied over these.
type ProbeStep struct {
	Phi, State gorgonia.Nodes
	// Energy is the mean eigenvalue of F in this probe, a scalar: P = 1/(d + Energy)·I
	// is the start.
	Energy *gorgonia.Node
	// Measures are a vector for ProbeLearner.Measures, nil where there are none.
	Measures *gorgonia.Node
}

// ProbeLearner keeps the arrays of a form that is learned from probes. Its Phi is the
// memory of the Preconditioner's factors.
type ProbeLearner interface {
	Phi() []*tensor.Dense
	State() []Array
	// Restart makes P = rate·I.
	Restart(rate float64)
	// Measures reads ProbeStep.Measures, nil where that is nil.
	Measures(v gorgonia.Value) ([]Measure, error)
	// Spectrum is the least and the largest eigenvalue of P. It allocates.
	Spectrum() (least, largest float64, err error)
}

// Measure is a named number that a step measures.
type Measure struct {
	Name  string // such as "discrepancy"
	Value float64
}

// probeable is a Preconditioner that knows what keeps its arrays for probes.
type probeable interface{ probed() ProbeLearner }

func startProbed(p Preconditioner) (ProbeLearner, error) {
	if l, ok := p.(probeable); ok {
		return l.probed(), nil
	}
	return nil, apoops.ErrShape.Errorf("form: a %T is not learned from probes", p)
}

// TwoSided is a Preconditioner P_B⊗P_A, which multiplies a gradient G = XᵀZ by its
// factors: P·G = (X·P_B)ᵀ(Z·P_A). Neither allocates from the second call on.
type TwoSided interface {
	Preconditioner
	// MultiplyInputs writes X·P_B to dst, both n×rows, MultiplyOutputs Z·P_A, both
	// n×cols.
	MultiplyInputs(dst, x *tensor.Dense)
	MultiplyOutputs(dst, z *tensor.Dense)
	// Costs are the numbers of multiplications in a product of either side and a vector.
	Costs() (inputs, outputs int)
}
