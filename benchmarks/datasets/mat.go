package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"slices"

	"github.com/pkg/errors"
)

// What is read of MATLAB's level 5 MAT-file format: data types of elements and
// classes of arrays.
const (
	matInt8       = 1
	matUint8      = 2
	matInt32      = 5
	matUint32     = 6
	matMatrix     = 14
	matCompressed = 15

	matDoubleClass = 6
	matUint8Class  = 9

	matHeader  = 128
	matMaxDims = 8
	// matRatio is more than deflate can compress.
	matRatio = 1040
)

// MATArray is an array of a MAT-file that is stored as unsigned bytes.
type MATArray struct {
	Name string
	// Shape has two to eight dimensions, each at least 1.
	Shape []int
	// Data holds the elements with the first dimension running fastest.
	Data []byte
}

// DecodeMAT decodes a MATLAB 5 MAT-file of numeric arrays whose elements are
// stored as unsigned bytes, whether their class is uint8 or, as MATLAB does
// with small whole numbers, double; compressed by zlib or not. Everything else
// is an error: other versions, big-endian files, other types and classes,
// complex numbers, damaged or left-over content.
func DecodeMAT(content []byte) ([]MATArray, error) {
	if len(content) < matHeader {
		return nil, errors.Errorf("mat: %d bytes are too short for a header", len(content))
	}
	if version, endian := content[124:126], content[126:128]; string(endian) != "IM" || string(version) != "\x00\x01" {
		return nil, errors.Errorf("mat: header ends in 0x%x, want 0x0001494d, a little-endian MATLAB 5 file", content[124:128])
	}
	var all []MATArray
	for rest := content[matHeader:]; len(rest) > 0; {
		kind, data, after, err := matElement(rest, false)
		if err == nil && kind == matCompressed {
			kind, data, err = matInflate(data)
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
func matInflate(packed []byte) (kind int, data []byte, err error) {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, nil, errors.Wrap(err, "zlib")
	}
	var tag [8]byte
	if _, err := io.ReadFull(r, tag[:]); err != nil {
		return 0, nil, errors.Wrap(err, "zlib")
	}
	size := int64(binary.LittleEndian.Uint32(tag[4:]))
	if size > maxBytes || size > matRatio*int64(len(packed)) {
		return 0, nil, errors.Errorf("%d packed bytes cannot hold an element of %d", len(packed), size)
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

// matArray decodes the content of an array: flags, dimensions, name, elements.
func matArray(content []byte) (MATArray, error) {
	var part [4][]byte
	for i, p := range []struct {
		name string
		kind int
	}{{"flags", matUint32}, {"dimensions", matInt32}, {"name", matInt8}, {"elements", matUint8}} {
		kind, data, rest, err := matElement(content, true)
		switch {
		case err != nil:
			return MATArray{}, errors.WithMessage(err, p.name)
		case kind != p.kind:
			return MATArray{}, errors.Errorf("%s are of type %d, want %d", p.name, kind, p.kind)
		}
		part[i], content = data, rest
	}
	if len(content) > 0 {
		return MATArray{}, errors.Errorf("%d bytes follow the elements; complex numbers are not read", len(content))
	}
	flags, dims := part[0], part[1]
	if len(flags) != 8 || (flags[0] != matUint8Class && flags[0] != matDoubleClass) || flags[1] != 0 {
		return MATArray{}, errors.Errorf("flags 0x%x are not those of a real array of class uint8 or double", flags)
	}
	a := MATArray{Name: string(part[2]), Data: part[3]}
	if len(dims)%4 != 0 || len(dims) < 8 || len(dims) > 4*matMaxDims {
		return MATArray{}, errors.Errorf("%d bytes of dimensions", len(dims))
	}
	length := int64(1)
	for i := 0; i < len(dims); i += 4 {
		n := int64(int32(binary.LittleEndian.Uint32(dims[i:])))
		if n < 1 {
			return MATArray{}, errors.Errorf("dimension %d is %d", i/4, n)
		}
		if length *= n; length > maxBytes {
			return MATArray{}, errors.Errorf("dimensions up to %d make more than %d elements", i/4, maxBytes)
		}
		a.Shape = append(a.Shape, int(n))
	}
	if length != int64(len(a.Data)) {
		return MATArray{}, errors.Errorf("shape %v needs %d elements, there are %d", a.Shape, length, len(a.Data))
	}
	return a, nil
}

// matNamed is the array of that name with a shape; 0 stands for any length.
func matNamed(all []MATArray, name string, shape ...int) (MATArray, error) {
	i := slices.IndexFunc(all, func(a MATArray) bool { return a.Name == name })
	if i < 0 {
		return MATArray{}, errors.Errorf("no variable %s", name)
	}
	fits := len(shape) == len(all[i].Shape)
	for j := range shape {
		fits = fits && (shape[j] == 0 || shape[j] == all[i].Shape[j])
	}
	if !fits {
		return MATArray{}, errors.Errorf("variable %s has shape %v, want %v (0: any)", name, all[i].Shape, shape)
	}
	return all[i], nil
}
