package checkpoint

import (
	"unicode/utf8"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// NamedTensor is a tensor with its name in a file.
type NamedTensor struct {
	// Name is not empty, valid UTF-8, and unique within a file.
	Name string
	// Value has dtype Float32, Float64, Int or Uint64 and any shape without
	// zero dimensions, () included. A view or a transposed tensor is stored like a
	// contiguous one with the same elements. Masked tensors are refused.
	Value *tensor.Dense
}

// checkTensors reports the first tensor that cannot be stored: a bad name, no
// value, a dtype without a format, a mask, memory the program cannot read.
func checkTensors(tensors []NamedTensor) error {
	seen := make(map[string]bool, len(tensors))
	for i, t := range tensors {
		if t.Name == "" || !utf8.ValidString(t.Name) {
			return errors.Errorf("tensor %d: name %q is empty or not UTF-8", i, t.Name)
		}
		if seen[t.Name] {
			return errors.Errorf("two tensors have the name %q", t.Name)
		}
		seen[t.Name] = true
		if t.Value == nil {
			return errors.Errorf("tensor %q has no value", t.Name)
		}
		if _, ok := formatOf(t.Value.Dtype()); !ok {
			return errors.Errorf("tensor %q: dtype is not Float32, Float64, Int or Uint64", t.Name)
		}
		if t.Value.IsMasked() {
			return errors.Errorf("tensor %q is masked", t.Name)
		}
		if !t.Value.IsNativelyAccessible() {
			return errors.Errorf("tensor %q is not in main memory", t.Name)
		}
	}
	return nil
}
