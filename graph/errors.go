package graph

import "github.com/apo-gorgonia/apo/apoops"

// ErrorKind is what errors of one cause have in common. Test for it with errors.Is.
type ErrorKind = apoops.ErrorKind

// The kinds of errors that a program may want to distinguish.
var (
	// ErrNotFinite: a loss, gradient, update, weight or input is NaN or infinite.
	ErrNotFinite = apoops.ErrNotFinite
	// ErrShape: an array has another shape than is needed there.
	ErrShape = apoops.ErrShape
	// ErrDtype: an array has another dtype than is needed there.
	ErrDtype = apoops.ErrDtype
	// ErrTarget: a target is not one that the loss can take.
	ErrTarget = apoops.ErrTarget
	// ErrNoSample: the targets of a loss or a problem cannot be drawn.
	ErrNoSample = apoops.NewErrorKind("there is no Sample to draw targets with")
	// ErrNoProbe: directions of the outputs cannot be drawn.
	ErrNoProbe = apoops.NewErrorKind("there is neither a Probe of the divergence nor a Sample of the loss")
)
