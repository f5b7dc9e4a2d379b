package datasets

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
)

// idxBytes encodes an IDX file of unsigned bytes.
func idxBytes(shape []uint32, data []byte) []byte {
	b := []byte{0, 0, idxUbyte, byte(len(shape))}
	for _, n := range shape {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return append(b, data...)
}

func TestDecodeIDX(t *testing.T) {
	idx, err := DecodeIDX(idxBytes([]uint32{2, 1, 3}, []byte{1, 2, 3, 4, 5, 6}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(idx.Shape, []int{2, 1, 3}) || !bytes.Equal(idx.Data, []byte{1, 2, 3, 4, 5, 6}) {
		t.Errorf("got %v %v", idx.Shape, idx.Data)
	}
}

func TestDecodeIDXErrors(t *testing.T) {
	good := idxBytes([]uint32{2, 2}, []byte{1, 2, 3, 4})
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "too short for a magic number"},
		{"half a magic number", good[:3], "too short for a magic number"},
		{"first byte set", append([]byte{1}, good[1:]...), "magic number 0x01000802"},
		{"floats", []byte{0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0}, "magic number 0x00000d01"},
		{"no dimension", []byte{0, 0, 8, 0, 1}, "magic number"},
		{"many dimensions", []byte{0, 0, 8, 200, 1}, "magic number"},
		{"header cut", good[:9], "cut short"},
		{"data cut", good[:len(good)-1], "needs 4 elements, file holds 3"},
		{"data appended", append(slices.Clone(good), 0), "needs 4 elements, file holds 5"},
		{"empty dimension", idxBytes([]uint32{2, 0}, nil), "dimension 1 is empty"},
		{"huge", idxBytes([]uint32{1 << 31, 1 << 31, 1 << 31, 1 << 31}, nil), "more than"},
		{"huge but one", idxBytes([]uint32{1 << 30}, []byte{1}), "file holds 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeIDX(test.content)
			errortest.Want(t, err, test.want)
		})
	}
}

func FuzzIDX(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(idxBytes([]uint32{3}, []byte{7, 2, 1}))
	f.Add(idxBytes([]uint32{1, 2, 2}, []byte{0, 255, 3, 4}))
	f.Add(idxBytes([]uint32{60000, 28, 28}, make([]byte, 10)))
	f.Add(idxBytes([]uint32{1 << 31, 1 << 31, 1 << 31}, nil))
	f.Fuzz(func(t *testing.T, content []byte) {
		idx, err := DecodeIDX(content)
		if err != nil {
			return
		}
		n := 1
		for _, d := range idx.Shape {
			n *= d
		}
		if n < 1 || n != len(idx.Data) {
			t.Fatalf("shape %v with %d elements", idx.Shape, len(idx.Data))
		}
	})
}
