package apoops

import (
	"fmt"

	"github.com/pkg/errors"
)

// ErrorKind is the cause of an error. Test for it with errors.Is.
type ErrorKind struct{ text string }

// The kinds of errors that a program may want to distinguish. Their texts name the
// parameter, array or step.
var (
	// ErrNotFinite: a loss, gradient, update, weight or input is NaN or infinite.
	ErrNotFinite = &ErrorKind{"not finite"}
	// ErrShape: an array does not have the shape that is needed.
	ErrShape = &ErrorKind{"wrong shape"}
	// ErrDtype: an array does not have the dtype that is needed.
	ErrDtype = &ErrorKind{"wrong dtype"}
	// ErrTarget: a target is not one that the loss can take, such as the number of a
	// class that does not exist.
	ErrTarget = &ErrorKind{"impossible target"}
)

// NewErrorKind makes a new kind.
func NewErrorKind(text string) *ErrorKind { return &ErrorKind{text} }

// Error implements error.
func (k *ErrorKind) Error() string { return k.text }

// Errorf makes an error of the kind, with this text and the caller's stack.
func (k *ErrorKind) Errorf(format string, args ...any) error {
	return &kindError{errors.Errorf(format, args...), k}
}

// kindError is an error of a kind.
type kindError struct {
	error
	kind *ErrorKind
}

func (e *kindError) Is(target error) bool { return target == error(e.kind) }

func (e *kindError) Unwrap() error { return e.error }

// Format passes %+v on to the error, which prints its stack.
func (e *kindError) Format(s fmt.State, verb rune) {
	fmt.Fprintf(s, fmt.FormatString(s, verb), e.error)
}

// errNoSecondDerivative is returned by the gradient of a gradient. APO needs
// none: g does not depend on φ.
var errNoSecondDerivative = errors.New("second derivatives are not provided")
