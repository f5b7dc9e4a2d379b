package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// ErrCorruptSafetensors is the cause of every error about a file that breaks
// the rules of the safetensors format. Test for it with errors.Is.
var ErrCorruptSafetensors = errors.New("trainers: corrupt safetensors file")

const (
	// safetensorsMetadata is the one key of the header that is no tensor.
	safetensorsMetadata = "__metadata__"
	// safetensorsMaxHeader is the limit that other readers of the format set.
	safetensorsMaxHeader = 100_000_000
	// safetensorsAlign is the alignment of the first element in the file.
	safetensorsAlign = 8
)

// safetensorsEntry describes one tensor in the header.
type safetensorsEntry struct {
	Dtype   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"` // begin and end, from the end of the header
}

// WriteSafetensors writes weights to the file path in the safetensors format,
// for use by other programs. Float32 becomes F32, Float64 F64, Int I64 and
// Uint64 U64, all in row-major order; the tensors keep their order. For F16 and BF16
// see WriteSafetensors16. See
// NamedTensor for what can be stored; the name "__metadata__" is reserved.
//
// The file is replaced in a single step as by Write. The format has no
// checksum.
func WriteSafetensors(path string, tensors []NamedTensor) error {
	return writeSafetensors(path, tensors, formatOf)
}

func writeSafetensors(path string, tensors []NamedTensor, as formatChoice) error {
	err := durable.Write(path, func(w io.Writer) error { return encodeSafetensors(w, tensors, as) })
	return errors.Wrapf(err, "trainers: safetensors %s", path)
}

// encodeSafetensors writes the length of the header, the header and the data.
func encodeSafetensors(w io.Writer, tensors []NamedTensor, as formatChoice) error {
	header, err := safetensorsHeader(tensors, as)
	if err != nil {
		return err
	}
	prefix := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	if _, err := w.Write(append(prefix, header...)); err != nil {
		return errors.Wrap(err, "write header")
	}
	for _, t := range tensors {
		if err := writeIn(w, t.Single(), as); err != nil {
			return errors.Wrapf(err, "write tensor %q", t.Name)
		}
	}
	return nil
}

// safetensorsHeader makes the JSON header with the keys in the order of the
// tensors, padded with spaces.
func safetensorsHeader(tensors []NamedTensor, as formatChoice) ([]byte, error) {
	if err := checkTensors(tensors); err != nil {
		return nil, err
	}
	header := []byte{'{'}
	offset := 0
	for i, t := range tensors {
		if t.Name == safetensorsMetadata {
			return nil, errors.Errorf("tensor %d: the name %q is reserved", i, t.Name)
		}
		format, _ := as(t.Dtype())
		size, err := byteSize(t.Value.Shape(), format.size)
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %q", t.Name)
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %q", t.Name)
		}
		entry, err := json.Marshal(safetensorsEntry{
			Dtype:   format.safetensors,
			Shape:   append([]int{}, t.Value.Shape()...),
			Offsets: []int{offset, offset + size},
		})
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %q", t.Name)
		}
		if i > 0 {
			header = append(header, ',')
		}
		header = append(header, name...)
		header = append(header, ':')
		header = append(header, entry...)
		offset += size
	}
	header = append(header, '}')
	for len(header)%safetensorsAlign != 0 {
		header = append(header, ' ')
	}
	if len(header) > safetensorsMaxHeader {
		return nil, errors.Errorf("header of %d bytes, the format allows %d", len(header), safetensorsMaxHeader)
	}
	return header, nil
}
