// Package checkpoint has the arrays of a training by name, as files hold them.
package checkpoint

import "gorgonia.org/tensor"

// NamedTensor is a tensor with its name in a file.
type NamedTensor struct {
	// Name is not empty, valid UTF-8, and unique within a file.
	Name string
	// Value has dtype Float32, Float64, Int or Uint64 and any shape without
	// zero dimensions, () included. Views and transposed tensors are stored as
	// what they show. Masked tensors are refused.
	Value *tensor.Dense
}
