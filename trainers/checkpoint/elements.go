package checkpoint

import (
	"encoding/binary"
	"io"
	"math"
	"reflect"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// elementFormat says how files hold the elements of a dtype.
type elementFormat struct {
	dtype                  tensor.Dtype
	name, safetensors, npy string // names in checkpoints, in safetensors files and in those of NumPy
	size                   int    // bytes per element

	// write writes the elements of t, which has the dtype, in row-major order.
	write func(w io.Writer, t *tensor.Dense) error
	// read makes a tensor from what write wrote. The length of b has been checked
	// against the shape.
	read func(shape []int, b []byte) (*tensor.Dense, error)
}

// elementFormats lists all dtypes that files hold, little-endian.
var elementFormats = []elementFormat{
	formatFor("float32", "F32", "<f4", 4,
		func(b []byte, v float32) []byte { return le.AppendUint32(b, math.Float32bits(v)) },
		func(b []byte) (float32, error) { return math.Float32frombits(le.Uint32(b)), nil }),
	formatFor("float64", "F64", "<f8", 8,
		func(b []byte, v float64) []byte { return le.AppendUint64(b, math.Float64bits(v)) },
		func(b []byte) (float64, error) { return math.Float64frombits(le.Uint64(b)), nil }),
	formatFor("int", "I64", "<i8", 8,
		func(b []byte, v int) []byte { return le.AppendUint64(b, uint64(int64(v))) },
		func(b []byte) (int, error) {
			stored := int64(le.Uint64(b))
			if int64(int(stored)) != stored {
				return 0, errors.Errorf("%d does not fit into an int of this machine", stored)
			}
			return int(stored), nil
		}),
	formatFor("uint64", "U64", "<u8", 8,
		func(b []byte, v uint64) []byte { return le.AppendUint64(b, v) },
		func(b []byte) (uint64, error) { return le.Uint64(b), nil }),
}

var le = binary.LittleEndian

// formatFor is the format of elements of type T: put appends one to a buffer, get
// reads one from the start of a buffer.
func formatFor[T any](name, safetensors, npy string, size int, put func([]byte, T) []byte, get func([]byte) (T, error)) elementFormat {
	return elementFormat{
		dtype: tensor.Dtype{Type: reflect.TypeFor[T]()}, name: name, safetensors: safetensors, npy: npy, size: size,
		write: func(w io.Writer, t *tensor.Dense) error { return writeElements(w, t, put) },
		read: func(shape []int, b []byte) (*tensor.Dense, error) {
			backing, err := readElements(b, size, get)
			if err != nil {
				return nil, err
			}
			return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing)), nil
		},
	}
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

// writeTensor writes the elements of t. The dtype has been checked.
func writeTensor(w io.Writer, t *tensor.Dense) error {
	format, _ := formatOf(t.Dtype())
	return format.write(w, t)
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

// readElements converts b, size bytes per element.
func readElements[T any](b []byte, size int, get func([]byte) (T, error)) ([]T, error) {
	out := make([]T, len(b)/size)
	for i := range out {
		var err error
		if out[i], err = get(b[i*size:]); err != nil {
			return nil, errors.Wrapf(err, "element %d", i)
		}
	}
	return out, nil
}
