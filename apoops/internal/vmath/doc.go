// Package vmath has elementary functions, activations and reductions of slices, which
// the ops of package apoops are made of.
package vmath
