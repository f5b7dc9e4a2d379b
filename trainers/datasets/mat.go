package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// What is read of MATLAB's level 5 MAT-file format beside the types of numbers.
const (
	matMatrix     = 14
	matCompressed = 15

	matHeader  = 128
	matMaxDims = 8
	// matRatio is more than deflate can compress.
	matRatio = 1040
)

// MATArray is an array of whole numbers from 0 to 255.
type MATArray struct {
	Name string
	// Shape has two to eight dimensions, each at least 1.
	Shape []int
	// Data holds the elements with the first dimension running fastest.
	Data []byte
}

// DecodeMAT decodes a MATLAB 5 MAT-file of real numeric arrays of any class,
// stored as integers or floats, whose elements are whole numbers from 0 to 255;
// compressed by zlib or not. Everything else is an error: other versions,
// big-endian files, other classes and numbers, complex numbers, damaged or
// left-over content, and variables that unpack to more than 512 MB together.
func DecodeMAT(content []byte) ([]MATArray, error) { return decodeMAT(content, maxBytes) }

// decodeMAT is DecodeMAT with a limit to what is unpacked.
func decodeMAT(content []byte, limit int64) ([]MATArray, error) {
	if len(content) < matHeader {
		return nil, errors.Errorf("mat: %d bytes are too short for a header", len(content))
	}
	if version, endian := content[124:126], content[126:128]; string(endian) != "IM" || string(version) != "\x00\x01" {
		return nil, errors.Errorf("mat: header ends in 0x%x, want 0x0001494d, a little-endian MATLAB 5 file", content[124:128])
	}
	var all []MATArray
	left := limit
	for rest := content[matHeader:]; len(rest) > 0; {
		kind, data, after, err := matElement(rest, false)
		if err == nil && kind == matCompressed {
			kind, data, err = matInflate(data, left)
			left -= int64(len(data))
		}
		if err == nil && kind != matMatrix {
			err = errors.Errorf("element of type %d, want an array (%d)", kind, matMatrix)
		}
		var array MATArray
		if err == nil {
			array, err = matArray(data)
		}
		if err != nil {
			return nil, errors.Wrapf(err, "mat: variable %d", len(all)+1)
		}
		all, rest = append(all, array), after
	}
	return all, nil
}

// matElement splits content into its first element and the rest. Within arrays
// elements are padded to 8 bytes and short ones lie in their own tag.
func matElement(content []byte, within bool) (kind int, data, rest []byte, err error) {
	if len(content) < 8 {
		return 0, nil, nil, errors.Errorf("%d bytes are too short for an element", len(content))
	}
	first := binary.LittleEndian.Uint32(content)
	if small := first >> 16; small != 0 {
		if small > 4 || !within {
			return 0, nil, nil, errors.Errorf("element's tag 0x%x is wrong", content[:8])
		}
		return int(first & 0xffff), content[4 : 4+small], content[8:], nil
	}
	size := int64(binary.LittleEndian.Uint32(content[4:]))
	rest = content[8:]
	if size > int64(len(rest)) {
		return 0, nil, nil, errors.Errorf("element of %d bytes, %d are left", size, len(rest))
	}
	data, rest = rest[:size], rest[size:]
	if within {
		pad := min(int(-size&7), len(rest))
		rest = rest[pad:]
	}
	return int(first), data, rest, nil
}

// matInflate decompresses an element, the only one in packed.
func matInflate(packed []byte, limit int64) (kind int, data []byte, err error) {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, nil, errors.Wrap(err, "zlib")
	}
	var tag [8]byte
	if _, err := io.ReadFull(r, tag[:]); err != nil {
		return 0, nil, errors.Wrap(err, "zlib")
	}
	size := int64(binary.LittleEndian.Uint32(tag[4:]))
	if size > matRatio*int64(len(packed)) {
		return 0, nil, errors.Errorf("%d packed bytes cannot hold an element of %d", len(packed), size)
	}
	if size > limit {
		return 0, nil, errors.Errorf("an element of %d bytes, %d are left of the limit to all", size, limit)
	}
	data = make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return 0, nil, errors.Wrap(err, "zlib")
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 8)); n > 0 || err != nil { // reads the checksum too
		return 0, nil, errors.Errorf("zlib: the element does not end as its tag says (%v)", err)
	}
	return int(binary.LittleEndian.Uint32(tag[:])), data, nil
}

// matNamed is the array of that name with one of the shapes, in which 0 stands
// for any length.
func matNamed(all []MATArray, name string, shapes ...[]int) (MATArray, error) {
	i := slices.IndexFunc(all, func(a MATArray) bool { return a.Name == name })
	if i < 0 {
		return MATArray{}, errors.Errorf("no variable %s", name)
	}
	for _, shape := range shapes {
		if slices.EqualFunc(shape, all[i].Shape, func(want, n int) bool { return want == 0 || want == n }) {
			return all[i], nil
		}
	}
	want := make([]string, len(shapes))
	for j, shape := range shapes {
		want[j] = fmt.Sprint(shape)
	}
	return MATArray{}, errors.Errorf("variable %s has shape %v, want %s (0: any)", name, all[i].Shape, strings.Join(want, " or "))
}
