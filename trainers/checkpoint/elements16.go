package checkpoint

import (
	"io"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
)

// formats16 are the formats of 16 bits, which safetensors files alone have: arrays in
// memory are of float32.
var formats16 = []elementFormat{
	half.Float16:  format16For[float32](half.Float16),
	half.BFloat16: format16For[float32](half.BFloat16),
}

var safetensors16 = [...]string{half.Float16: "F16", half.BFloat16: "BF16"}

// format16For is the format of elements that are T in memory and f in a file.
func format16For[T apoops.Float](f half.Format) elementFormat {
	return formatFor(f.String(), safetensors16[f], "", 2,
		func(b []byte, v T) []byte { return le.AppendUint16(b, half.ToBits(f, float64(v))) },
		func(b []byte) (T, error) { return T(half.FromBits(f, le.Uint16(b))), nil })
}

// stored16 is the format in which WriteSafetensors16 stores an array of the dtype:
// that of WriteSafetensors for integers.
func stored16(f half.Format, dtype tensor.Dtype) (elementFormat, bool) {
	if format, err := apoops.Choose(dtype, format16For[float32], format16For[float64]); err == nil {
		return format(f), true
	}
	return formatOf(dtype)
}

// WriteSafetensors16 is WriteSafetensors with Float32 and Float64 as F16 or BF16, each
// element rounded to the nearest number of the format, of two to the one with an even
// last bit. A finite element that would become infinite is an error that names the
// tensor; nothing is written then.
func WriteSafetensors16(path string, f apoops.Format, tensors []NamedTensor) error {
	if !f.Known() {
		return errors.Errorf("trainers: safetensors %s: format %d is neither %v nor %v", path, int(f), half.Float16, half.BFloat16)
	}
	if err := checkTensors(tensors); err != nil {
		return errors.Wrapf(err, "trainers: safetensors %s", path)
	}
	for _, t := range tensors {
		if err := checkRange(f, t.Single()); err != nil {
			return errors.Wrapf(err, "trainers: safetensors %s: tensor %q", path, t.Name)
		}
	}
	return writeSafetensors(path, tensors, func(d tensor.Dtype) (elementFormat, bool) { return stored16(f, d) })
}

// checkRange reports the first element that is beyond the format's range.
func checkRange(f half.Format, t *tensor.Dense) error {
	check, err := apoops.Choose(t.Dtype(), checkRangeOf[float32], checkRangeOf[float64])
	if err != nil {
		return nil // integers
	}
	return check(f, t)
}

func checkRangeOf[T apoops.Float](f half.Format, t *tensor.Dense) error {
	elements, err := rowMajor[T](t)
	if err != nil {
		return err
	}
	for i, v := range elements {
		x := float64(v)
		if !math.IsInf(x, 0) && math.IsInf(half.Nearest(f, x), 0) {
			return errors.Errorf("element %d is %v, beyond the largest %v, %v", i, v, f, f.Max())
		}
	}
	return nil
}

// writeIn writes the elements of t in the format that as gives its dtype.
func writeIn(w io.Writer, t *tensor.Dense, as formatChoice) error {
	format, _ := as(t.Dtype())
	return format.write(w, t)
}

// formatChoice is the format in which a file holds arrays of a dtype.
type formatChoice func(tensor.Dtype) (elementFormat, bool)
