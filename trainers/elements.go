package trainers

import (
	"encoding/binary"
	"io"
	"math"
	"unicode/utf8"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// elementFormat says how files hold the elements of a dtype.
type elementFormat struct {
	dtype             tensor.Dtype
	name, safetensors string // names in checkpoints and in safetensors files
	size              int    // bytes per element
}

// elementFormats lists all dtypes that files hold.
var elementFormats = []elementFormat{
	{tensor.Float32, "float32", "F32", 4},
	{tensor.Float64, "float64", "F64", 8},
	{tensor.Int, "int", "I64", 8},
	{tensor.Uint64, "uint64", "U64", 8},
}

// formatOf finds the format of a dtype.
func formatOf(dtype tensor.Dtype) (elementFormat, bool) {
	for _, f := range elementFormats {
		if f.dtype == dtype {
			return f, true
		}
	}
	return elementFormat{}, false
}

// formatNamed finds a format by its name in checkpoints.
func formatNamed(name string) (elementFormat, bool) {
	for _, f := range elementFormats {
		if f.name == name {
			return f, true
		}
	}
	return elementFormat{}, false
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

// byteSize is the number of bytes of ∏ shape elements of size bytes each. It
// fails for dimensions below 1 and for sizes beyond an int.
func byteSize(shape []int, size int) (int, error) {
	total := size
	for _, d := range shape {
		if d < 1 {
			return 0, errors.Errorf("shape %v has a dimension below 1", shape)
		}
		if total > math.MaxInt/d {
			return 0, errors.Errorf("shape %v is too large", shape)
		}
		total *= d
	}
	return total, nil
}

// writeTensor writes the elements of t, little-endian and row-major. The dtype
// has been checked.
func writeTensor(w io.Writer, t *tensor.Dense) error {
	le := binary.LittleEndian
	switch t.Dtype() {
	case tensor.Float32:
		return writeElements(w, t, func(b []byte, v float32) []byte { return le.AppendUint32(b, math.Float32bits(v)) })
	case tensor.Float64:
		return writeElements(w, t, func(b []byte, v float64) []byte { return le.AppendUint64(b, math.Float64bits(v)) })
	case tensor.Int:
		return writeElements(w, t, func(b []byte, v int) []byte { return le.AppendUint64(b, uint64(int64(v))) })
	default:
		return writeElements(w, t, func(b []byte, v uint64) []byte { return le.AppendUint64(b, v) })
	}
}

// writeElements writes the elements of t, each as add appends it to a buffer.
func writeElements[T any](w io.Writer, t *tensor.Dense, add func([]byte, T) []byte) error {
	const chunk = 64 << 10
	elements, err := rowMajor[T](t)
	if err != nil {
		return err
	}
	var buf []byte
	for _, v := range elements {
		buf = add(buf, v)
		if len(buf) >= chunk {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err = w.Write(buf)
	return err
}

// rowMajor gives the elements of t in row-major order: the backing slice if
// they lie like that, else a copy.
func rowMajor[T any](t *tensor.Dense) ([]T, error) {
	if v, ok := t.Data().(T); ok { // shape ()
		return []T{v}, nil
	}
	data, ok := t.Data().([]T)
	shape, strides := t.Shape(), t.Strides()
	n := shape.TotalSize()
	if !ok || len(data) < n {
		return nil, errors.Errorf("shape %v does not fit the data", shape)
	}
	if n == 1 {
		return data[:1], nil
	}
	if len(strides) != len(shape) {
		return nil, errors.Errorf("shape %v with strides %v", shape, strides)
	}

	inOrder, last, step := true, 0, 1
	for i := len(shape) - 1; i >= 0; i-- {
		inOrder = inOrder && (shape[i] == 1 || strides[i] == step)
		last += (shape[i] - 1) * strides[i]
		step *= shape[i]
	}
	if inOrder {
		return data[:n], nil
	}
	if last >= len(data) {
		return nil, errors.Errorf("shape %v with strides %v goes beyond the data", shape, strides)
	}
	out := make([]T, n)
	for i := range out {
		at, rest := 0, i
		for axis := len(shape) - 1; axis >= 0; axis-- {
			at += rest % shape[axis] * strides[axis]
			rest /= shape[axis]
		}
		out[i] = data[at]
	}
	return out, nil
}

// readTensor makes a tensor of the given shape from the bytes writeTensor
// wrote. The length of b has been checked against shape and dtype.
func readTensor(dtype tensor.Dtype, shape []int, b []byte) (*tensor.Dense, error) {
	le := binary.LittleEndian
	var backing any
	switch dtype {
	case tensor.Float32:
		backing = readElements(b, 4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) })
	case tensor.Float64:
		backing = readElements(b, 8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) })
	case tensor.Int:
		ints := readElements(b, 8, func(b []byte) int { return int(int64(le.Uint64(b))) })
		for i, v := range ints {
			if stored := int64(le.Uint64(b[8*i:])); stored != int64(v) {
				return nil, errors.Errorf("element %d: %d does not fit into an int of this machine", i, stored)
			}
		}
		backing = ints
	default:
		backing = readElements(b, 8, le.Uint64)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing)), nil
}

// readElements converts b, size bytes per element.
func readElements[T any](b []byte, size int, get func([]byte) T) []T {
	out := make([]T, len(b)/size)
	for i := range out {
		out[i] = get(b[i*size:])
	}
	return out
}
