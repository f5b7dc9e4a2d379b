package datasets

import (
	"encoding/binary"
	"math"

	"github.com/pkg/errors"
)

// The types that MATLAB stores numbers as.
const (
	matInt8   = 1
	matUint8  = 2
	matInt16  = 3
	matUint16 = 4
	matInt32  = 5
	matUint32 = 6
	matSingle = 7
	matDouble = 9
	matInt64  = 12
	matUint64 = 13
)

// The numeric classes of arrays: double, single, and the integers from int8 to
// uint64.
const (
	matDoubleClass = 6
	matUint8Class  = 9
	matUint64Class = 15
)

// matArray decodes the content of an array: flags, dimensions, name, elements.
func matArray(content []byte) (MATArray, error) {
	var part [4][]byte
	kinds := [4]int{matUint32, matInt32, matInt8, 0} // 0: any type of numbers
	for i, name := range []string{"flags", "dimensions", "name", "elements"} {
		kind, data, rest, err := matElement(content, true)
		switch {
		case err != nil:
			return MATArray{}, errors.WithMessage(err, name)
		case kinds[i] != 0 && kind != kinds[i]:
			return MATArray{}, errors.Errorf("%s are of type %d, want %d", name, kind, kinds[i])
		}
		part[i], kinds[i], content = data, kind, rest
		if i == 0 { // what the rest is depends on the class
			if err := matFlags(data); err != nil {
				return MATArray{}, err
			}
		}
	}
	if len(content) > 0 {
		return MATArray{}, errors.Errorf("%d bytes follow the elements; complex numbers are not read", len(content))
	}
	shape, length, err := matShape(part[1])
	if err != nil {
		return MATArray{}, err
	}
	data, err := matBytes(kinds[3], part[3])
	if err != nil {
		return MATArray{}, err
	}
	if length != int64(len(data)) {
		return MATArray{}, errors.Errorf("shape %v needs %d elements, there are %d", shape, length, len(data))
	}
	return MATArray{Name: string(part[2]), Shape: shape, Data: data}, nil
}

func matFlags(flags []byte) error {
	if len(flags) != 8 || flags[0] < matDoubleClass || flags[0] > matUint64Class || flags[1] != 0 {
		return errors.Errorf("flags 0x%x are not those of a real array of a numeric class", flags)
	}
	return nil
}

func matShape(dims []byte) (shape []int, length int64, err error) {
	if len(dims)%4 != 0 || len(dims) < 8 || len(dims) > 4*matMaxDims {
		return nil, 0, errors.Errorf("%d bytes of dimensions", len(dims))
	}
	length = 1
	for i := 0; i < len(dims); i += 4 {
		n := int64(int32(binary.LittleEndian.Uint32(dims[i:])))
		if n < 1 {
			return nil, 0, errors.Errorf("dimension %d is %d", i/4, n)
		}
		if length *= n; length > maxBytes {
			return nil, 0, errors.Errorf("dimensions up to %d make more than %d elements", i/4, maxBytes)
		}
		shape = append(shape, int(n))
	}
	return shape, length, nil
}

// matBytes are the elements as bytes, which they must fit in. Unsigned bytes are
// not copied.
func matBytes(kind int, data []byte) ([]byte, error) {
	little := binary.LittleEndian
	switch kind {
	case matUint8:
		return data, nil
	case matInt8:
		return matWhole(data, 1, func(b []byte) float64 { return float64(int8(b[0])) })
	case matInt16:
		return matWhole(data, 2, func(b []byte) float64 { return float64(int16(little.Uint16(b))) })
	case matUint16:
		return matWhole(data, 2, func(b []byte) float64 { return float64(little.Uint16(b)) })
	case matInt32:
		return matWhole(data, 4, func(b []byte) float64 { return float64(int32(little.Uint32(b))) })
	case matUint32:
		return matWhole(data, 4, func(b []byte) float64 { return float64(little.Uint32(b)) })
	case matSingle:
		return matWhole(data, 4, func(b []byte) float64 { return float64(math.Float32frombits(little.Uint32(b))) })
	case matDouble:
		return matWhole(data, 8, func(b []byte) float64 { return math.Float64frombits(little.Uint64(b)) })
	case matInt64:
		return matWhole(data, 8, func(b []byte) float64 { return float64(int64(little.Uint64(b))) })
	case matUint64:
		return matWhole(data, 8, func(b []byte) float64 { return float64(little.Uint64(b)) })
	}
	return nil, errors.Errorf("elements are of type %d, which is none of numbers", kind)
}

// matWhole makes bytes of elements of that size.
func matWhole(data []byte, size int, value func([]byte) float64) ([]byte, error) {
	if len(data)%size != 0 {
		return nil, errors.Errorf("%d bytes of elements are not whole elements of %d", len(data), size)
	}
	whole := make([]byte, len(data)/size)
	for i := range whole {
		v := value(data[i*size:])
		if !(v >= 0 && v <= 255) || v != math.Trunc(v) { // NaN is in no range
			return nil, errors.Errorf("element %d is %v, want a whole number from 0 to 255", i, v)
		}
		whole[i] = byte(v)
	}
	return whole, nil
}
