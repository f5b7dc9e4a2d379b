package datasets

import (
	"encoding/binary"

	"github.com/pkg/errors"
)

// An IDX header is two zero bytes, the element type, the number of
// dimensions, and each dimension as a big-endian 32-bit number.
const (
	idxUbyte     = 0x08
	idxMaxDims   = 8
	idxMaxLength = 1 << 30
)

// IDX is the content of an IDX file of unsigned bytes.
type IDX struct {
	// Shape has one to eight dimensions, each at least 1.
	Shape []int
	// Data holds the elements with the last dimension running fastest.
	Data []byte
}

// DecodeIDX decodes an unpacked IDX file of unsigned bytes, the format of MNIST
// images (magic number 0x803) and labels (0x801). The result's Data is part of
// content, not a copy. A wrong magic number, a zero or unreasonable dimension,
// and content shorter or longer than the header says are errors.
func DecodeIDX(content []byte) (IDX, error) {
	if len(content) < 4 {
		return IDX{}, errors.Errorf("idx: %d bytes are too short for a magic number", len(content))
	}
	dims := int(content[3])
	if content[0] != 0 || content[1] != 0 || content[2] != idxUbyte || dims < 1 || dims > idxMaxDims {
		return IDX{}, errors.Errorf("idx: magic number 0x%x is not that of an array of unsigned bytes", content[:4])
	}
	rest := content[4:]
	if len(rest) < 4*dims {
		return IDX{}, errors.Errorf("idx: header of %d dimensions is cut short", dims)
	}

	shape := make([]int, dims)
	length := int64(1)
	for i := range shape {
		n := int64(binary.BigEndian.Uint32(rest[4*i:]))
		if n == 0 {
			return IDX{}, errors.Errorf("idx: dimension %d is empty", i)
		}
		if length *= n; length > idxMaxLength {
			return IDX{}, errors.Errorf("idx: dimensions up to %d make more than %d elements", i, idxMaxLength)
		}
		shape[i] = int(n)
	}

	data := rest[4*dims:]
	if int64(len(data)) != length {
		return IDX{}, errors.Errorf("idx: shape %v needs %d elements, file holds %d", shape, length, len(data))
	}
	return IDX{Shape: shape, Data: data}, nil
}
