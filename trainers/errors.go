package trainers

import "github.com/apo-gorgonia/apo/graph"

// The kinds of errors that a program may want to distinguish, those of package graph. Test for them with errors.Is.
var (
	// ErrNotFinite: a loss, gradient, update, weight or input is NaN or infinite.
	// A training step with such an error was not taken.
	ErrNotFinite = graph.ErrNotFinite
	// ErrShape: an array has another shape than is needed there, such as a batch of
	// another size than the first.
	ErrShape = graph.ErrShape
	// ErrDtype: an array has another dtype than is needed there.
	ErrDtype = graph.ErrDtype
	// ErrTarget: a target is not one that the loss can take: the number of a class
	// that does not exist, or one outside [0, 1] for BernoulliCrossEntropy.
	ErrTarget = graph.ErrTarget
	// ErrNoSample: KFAC or EKFAC need targets that the loss cannot draw.
	ErrNoSample = graph.ErrNoSample
)
