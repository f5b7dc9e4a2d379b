package checkpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// A checkpoint file is
//
//	8 bytes    magic "APOCKPT\n"
//	uint32     version of the format
//	uint64     length H of the header
//	H bytes    header, a JSON object
//	           {"meta": …, "tensors": [{"name", "dtype", "shape", "offset", "length"}, …]}
//	…          elements of the tensors, one tensor after the other, no gaps
//	32 bytes   SHA-256 of everything before
//
// Numbers are little-endian. Offsets count from the end of the header, offsets
// and lengths are bytes, elements are in row-major order.
const (
	magic         = "APOCKPT\n"
	formatVersion = 1
	prefixSize    = len(magic) + 4 + 8
	// maxHeader is far above the header of any model.
	maxHeader = 1 << 28
)

var (
	// ErrCorrupt is the cause of every error about a file that was truncated or
	// altered, or that never was a checkpoint. Test for it with errors.Is.
	ErrCorrupt = errors.New("trainers: corrupt checkpoint")

	// ErrNewer is the cause of the error about a checkpoint in a later format than
	// this version of the package reads.
	ErrNewer = errors.New("trainers: checkpoint written by a newer version")
)

// Snapshot is what a checkpoint file holds: a JSON document and named tensors.
type Snapshot struct {
	// Meta is any JSON document, nil for none. White space in it is not kept.
	Meta json.RawMessage
	// Tensors keep their order. The bits of floats survive, NaN payloads and
	// the sign of zero included. Int is stored in 64 bits.
	Tensors []NamedTensor
}

// fileHeader is the JSON header of a checkpoint.
type fileHeader struct {
	Meta    json.RawMessage `json:"meta,omitempty"`
	Tensors []entry         `json:"tensors"`
}

// entry says where the elements of one tensor are.
type entry struct {
	Name   string `json:"name"`
	Dtype  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
}

// encode writes the snapshot to w in the checkpoint format. It fails if Meta
// is not JSON, if a tensor cannot be stored or if w fails; in the last case a
// part of the snapshot may have been written.
func (s *Snapshot) encode(w io.Writer) error {
	header, err := s.header()
	if err != nil {
		return err
	}

	sum := sha256.New()
	both := io.MultiWriter(w, sum)

	prefix := []byte(magic)
	prefix = binary.LittleEndian.AppendUint32(prefix, formatVersion)
	prefix = binary.LittleEndian.AppendUint64(prefix, uint64(len(header)))
	if _, err := both.Write(append(prefix, header...)); err != nil {
		return errors.Wrap(err, "write header")
	}
	for _, t := range s.Tensors {
		if err := writeTensor(both, t.Single()); err != nil {
			return errors.Wrapf(err, "write tensor %q", t.Name)
		}
	}
	_, err = w.Write(sum.Sum(nil))
	return errors.Wrap(err, "write checksum")
}

// header checks the tensors and lays them out one after the other.
func (s *Snapshot) header() ([]byte, error) {
	if err := checkTensors(s.Tensors); err != nil {
		return nil, err
	}
	h := fileHeader{Meta: s.Meta, Tensors: make([]entry, len(s.Tensors))}
	offset := 0
	for i, t := range s.Tensors {
		format, _ := formatOf(t.Dtype())
		length, err := byteSize(t.Value.Shape(), format.size)
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %q", t.Name)
		}
		h.Tensors[i] = entry{
			Name:   t.Name,
			Dtype:  format.name,
			Shape:  append([]int{}, t.Value.Shape()...),
			Offset: offset,
			Length: length,
		}
		offset += length
	}
	b, err := json.Marshal(h)
	if len(b) > maxHeader {
		return nil, errors.Errorf("header of %d bytes, the format allows %d", len(b), maxHeader)
	}
	return b, errors.Wrap(err, "header")
}

// corrupt makes an error with the cause ErrCorrupt.
func corrupt(format string, args ...any) error {
	return errors.Wrapf(ErrCorrupt, format, args...)
}

// Write writes s to the file path. It replaces an older file in a single step
// (durable.Write): at any moment path holds either the old checkpoint or the complete
// new one. After an error it holds the old one, except for an error of the last sync:
// then the new one is in place. A symbolic link is followed.
func Write(path string, s *Snapshot) error {
	if s == nil {
		return errors.Errorf("trainers: checkpoint %s: nothing to write", path)
	}
	return errors.Wrapf(durable.Write(path, s.encode), "trainers: checkpoint %s", path)
}
