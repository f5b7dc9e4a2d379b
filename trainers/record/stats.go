package record

import "time"

// Stats are the statistics of one training step.
type Stats struct {
	// Step counts from 0.
	Step int
	// Loss is J_B(θ) at the start of the step.
	Loss float64
	// Rates are the learning rates the step used, one per parameter group:
	// the adapted (or fixed) rate times the schedule. They are empty when a
	// preconditioner takes the rate's place.
	Rates []float64
	// Hyperparameters are those of the rule that are learned besides, by name, as the step
	// used them; nil for none.
	Hyperparameters map[string]float64
	// LossScale is the factor on the loss in a training in 16 bits; 0 in others.
	LossScale float64
	// StepSkipped is true if the gradient was not finite because of LossScale, or the loss or
	// the gradient was not finite and the option SkipNonFinite left the step out: nothing
	// moved.
	StepSkipped bool
	// SkipsNonFinite is true with the option SkipNonFinite: logs then say of every step
	// whether it was skipped, as they do with a LossScale.
	SkipsNonFinite bool
	// Meta describes the meta-step that has ended: one on learning rates, unless SameBatch is
	// set, began at the step before. It is nil on other steps.
	Meta *MetaStats
	// Precond holds the norms of the learned preconditioner, one entry per
	// block; filled on meta-steps of APO-Precond where there is a Recorder.
	Precond []PrecondNorms
	// BaseTime is the time of gradient, state and weights; MetaTime that of
	// the lookahead and its gradient, at the step where a meta-step begins.
	BaseTime, MetaTime time.Duration
}

// maySkip reports whether steps of this run may be skipped.
func (s Stats) maySkip() bool { return s.LossScale != 0 || s.SkipsNonFinite }

// MetaStats holds the terms of the proximal objective (Eq. 8) at a meta-step,
// before φ moved: Q = Loss + LambdaFSD·FSD + LambdaWSD·WSD. With Calibrated they
// are those of θ' = θ - b·e, with the weights λ(t) and λ_W. Where P is learned from
// probes they are means over whitened probes v: Loss is the linear term
// -vᵀPv, FSD is ½(Pv)ᵀF(Pv), WSD is ½‖Pv‖².
type MetaStats struct {
	Q, Loss float64
	// FSD is the mean function-space discrepancy over B'; WSD is ½‖θ'-θ‖².
	FSD, WSD             float64
	LambdaFSD, LambdaWSD float64
	// Epsilon is the part ε of the step that relative meta-steps looked ahead, 0
	// for other rules. With it Loss and FSD are those after ε of the step, WSD that
	// of the whole one, and Q = Loss + LambdaFSD/ε·FSD + ε·LambdaWSD·WSD.
	Epsilon float64
	// GradNorm is the Euclidean norm of ∂Q/∂φ before clipping.
	GradNorm float64
	// Skipped is true if the meta-gradient was not finite and φ stayed or, with
	// Calibrated, if Q was not finite.
	Skipped bool
}

// part is Epsilon, or 1 for rules that look a whole step ahead.
func (m *MetaStats) part() float64 {
	if m.Epsilon == 0 {
		return 1
	}
	return m.Epsilon
}

// PrecondNorms holds the Frobenius norms of one block's factors. A and B are
// zero for a diagonal block. Of a preconditioner of low rank they are those of P_A and
// P_B, and S is zero.
type PrecondNorms struct {
	Block   string
	A, B, S float64
	// Measures is nil where P is not learned from rows.
	Measures *PrecondMeasures
}

// PrecondMeasures are what a meta-step on rows of inputs x and output gradients z says
// of one block's P = P_B ⊗ P_A.
type PrecondMeasures struct {
	// EnergyA and EnergyB are the parts of the rows' energy, Σw·‖z‖² and Σw·‖x‖²,
	// that lie in the subspace of the side; 1 for sides without one.
	EnergyA, EnergyB float64
	// Condition is the largest eigenvalue of P divided by the least.
	Condition float64
	Trace     float64 // tr P
	// Discrepancy is ½·tr(PF) divided by the number of weights, F from the meta-step's
	// own probe, before P moved: the function-space discrepancy of a step P·v for v with
	// covariance P⁻¹. It is below ½ where P has reached its minimiser, by the damping.
	Discrepancy float64
}
