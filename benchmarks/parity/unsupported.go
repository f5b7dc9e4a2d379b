package parity

import "fmt"

// Unsupported is the error of a fixture that is well formed but that this module
// cannot replay.
type Unsupported struct{ Reason string }

// Error implements error.
func (u *Unsupported) Error() string { return "unsupported: " + u.Reason }

// unsupported reports a field that cannot be replayed.
func (o object) unsupported(format string, a ...any) {
	o.keep(&Unsupported{Reason: fmt.Sprintf(format, a...)})
}
