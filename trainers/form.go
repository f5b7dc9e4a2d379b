package trainers

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// form is an update θ ← u(θ, φ, state', g) whose parameters φ can be learned.
type form interface {
	// lookahead is the same update as a graph.
	lookahead() graph.Lookahead
	// phi lists φ, which the meta-optimizer moves in place.
	phi() []NamedTensor
	// step advances the optimizer's state with the gradients and moves the
	// weights with φ as it is after meta, which may be nil. meta gets the inputs
	// of the lookahead. An error of meta is returned after the weights moved.
	// scale is the schedule's factor.
	step(s signal, scale float64, meta func(inputs []*tensor.Dense) error) error
	// certain tells before a step that it leaves weights, state and φ finite; false
	// where that is not known. l is what moves φ at this step, nil for nothing. After
	// an answer of false, and after changes that steps did not make, forget is called.
	certain(s signal, scale float64, l learner) bool
	forget()
	// bound brings φ back into its bounds after a meta-step.
	bound()
	// rates are the learning rates of a step, none for a preconditioner.
	rates(step int, scale float64) []float64
	// norms are the norms of the factors of a preconditioner, nil for rates.
	norms() []PrecondNorms
	// state lists the optimizer's arrays, without φ.
	state() []NamedTensor
}
