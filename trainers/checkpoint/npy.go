package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// npyAlign is the alignment of the first element in the file.
const npyAlign = 64

// WriteNPY writes the tensor to the file path as an array of NumPy (numpy.load), in version
// 1.0 of the format and row-major order: Float32, Float64, Int and Uint64 become '<f4',
// '<f8', '<i8' and '<u8'. The name is not stored. The file is replaced in a single step as by
// Write.
func WriteNPY(path string, t NamedTensor) error {
	if err := checkTensors([]NamedTensor{t}); err != nil {
		return errors.Wrapf(err, "trainers: npy %s", path)
	}
	err := durable.Write(path, func(w io.Writer) error {
		header, err := npyHeader(t)
		if err != nil {
			return err
		}
		if _, err := w.Write(header); err != nil {
			return errors.Wrap(err, "write header")
		}
		return errors.Wrapf(writeTensor(w, t.Single()), "write tensor %q", t.Name)
	})
	return errors.Wrapf(err, "trainers: npy %s", path)
}

// npyHeader has the magic bytes, the version, the length of the rest and a literal of
// Python, padded with spaces.
func npyHeader(t NamedTensor) ([]byte, error) {
	format, _ := formatOf(t.Dtype())
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", format.npy, tuple(t.Value.Shape()))
	const before = len("\x93NUMPY") + 2 + 2
	padding := npyAlign - (before+len(text)+1)%npyAlign
	text += strings.Repeat(" ", padding%npyAlign) + "\n"
	if len(text) > 1<<16-1 {
		return nil, errors.Errorf("tensor %q has too many axes", t.Name)
	}
	header := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(text)))
	return append(header, text...), nil
}

// tuple is a shape as Python writes it: (), (3,), (3, 4).
func tuple(shape tensor.Shape) string {
	text := "("
	for i, n := range shape {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprintf("%d,", n)
	}
	if len(shape) > 1 {
		text = strings.TrimSuffix(text, ",")
	}
	return text + ")"
}
