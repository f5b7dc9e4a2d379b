package checkpoint

import (
	"math"
	"unicode/utf8"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
)

// NamedTensor is a tensor with its name in a file.
type NamedTensor struct {
	// Name is not empty, valid UTF-8, and unique within a file.
	Name string
	// Value has dtype Float32, Float64, Int or Uint64 and any shape without
	// zero dimensions, () included. A view or a transposed tensor is stored like a
	// contiguous one with the same elements. Masked tensors are refused. One of Uint16,
	// row-major, has the bits of numbers of Format, which files hold as Float32.
	Value *tensor.Dense
	// Format is that of a Value of Uint16.
	Format apoops.Format
}

// Packed reports whether Value has the bits of numbers of 16 bits.
func (t NamedTensor) Packed() bool { return t.Value != nil && t.Value.Dtype() == tensor.Uint16 }

// Dtype is that of the numbers, which files hold: Float32 where Value is Packed.
func (t NamedTensor) Dtype() tensor.Dtype {
	if t.Packed() {
		return tensor.Float32
	}
	return t.Value.Dtype()
}

// Single is Value or, where that is Packed, a new array of its numbers.
func (t NamedTensor) Single() *tensor.Dense {
	if !t.Packed() {
		return t.Value
	}
	x := make([]float32, t.Value.DataSize())
	half.Expand(t.Format, x, t.Value.Uint16s())
	return tensor.New(tensor.WithShape(t.Value.Shape().Clone()...), tensor.WithBacking(x))
}

// Floats are the elements of an array of floats in row-major order. Integers are an error
// that names the tensor, as is an array without a Value.
func (t NamedTensor) Floats() ([]float64, error) {
	if t.Value == nil {
		return nil, errors.Errorf("tensor %q has no value", t.Name)
	}
	widen, err := apoops.Choose(t.Dtype(), widened[float32], widened[float64])
	if err != nil {
		return nil, errors.WithMessagef(err, "tensor %q", t.Name)
	}
	x, err := widen(t.Single())
	return x, errors.WithMessagef(err, "tensor %q", t.Name)
}

func widened[T apoops.Float](t *tensor.Dense) ([]float64, error) {
	elements, err := rowMajor[T](t)
	x := make([]float64, len(elements))
	for i, v := range elements {
		x[i] = float64(v)
	}
	return x, err
}

// Pack rounds numbers to nearest even and puts them into a Value that is Packed. Of what is
// finite and beyond the range of Format the largest number is kept.
func (t NamedTensor) Pack(x []float32) {
	bits, most := t.Value.Uint16s(), float32(t.Format.Max())
	half.Pack(t.Format, bits, x)
	for i, v := range x {
		if (v > most || v < -most) && !math.IsInf(float64(v), 0) {
			bits[i] = half.ToBits(t.Format, float64(min(max(v, -most), most)))
		}
	}
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
		if _, ok := formatOf(t.Dtype()); !ok {
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
