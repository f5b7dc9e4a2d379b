package half

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Pack sets dst to the bits of the numbers of the format that are nearest to src, as
// ToBits does: of two neighbours at the same distance the even one. dst is at least as
// long as src.
func Pack[T blas.Float](f Format, dst []uint16, src []T) {
	blas.Pick[T, any](pack32, pack64).(func(Format, []uint16, []T))(f, dst, src)
}

func pack64(f Format, dst []uint16, src []float64) {
	for i, x := range src {
		dst[i] = ToBits(f, x)
	}
}

func pack32(f Format, dst []uint16, src []float32) {
	dst = dst[:len(src)]
	n := packVector(f, dst, src)
	dst, src = dst[n:], src[n:]
	if f == BFloat16 {
		for i, x := range src {
			dst[i] = toBFloat16(math.Float32bits(x))
		}
		return
	}
	for i, x := range src {
		dst[i] = toFloat16(math.Float32bits(x))
	}
}

// Expand sets dst to the numbers that the bits of src mean, as FromBits does. It is
// exact, but a signalling NaN becomes quiet. dst is at least as long as src.
func Expand[T blas.Float](f Format, dst []T, src []uint16) {
	blas.Pick[T, any](expand32, expand64).(func(Format, []T, []uint16))(f, dst, src)
}

func expand64(f Format, dst []float64, src []uint16) {
	for i, b := range src {
		dst[i] = FromBits(f, b)
	}
}

func expand32(f Format, dst []float32, src []uint16) {
	dst = dst[:len(src)]
	n := expandVector(f, dst, src)
	dst, src = dst[n:], src[n:]
	if f == BFloat16 {
		for i, b := range src {
			dst[i] = math.Float32frombits(fromBFloat16(b))
		}
		return
	}
	for i, b := range src {
		dst[i] = math.Float32frombits(fromFloat16(b))
	}
}

// AllFinite reports whether no number is NaN or infinite.
func AllFinite(f Format, bits []uint16) bool {
	infinity := 0x7fff &^ f.layout().mask()
	for _, b := range bits {
		if b&infinity == infinity {
			return false
		}
	}
	return true
}

func round32(f Format, x []float32) {
	x = x[roundVector(f, x):]
	if f == BFloat16 {
		for i, v := range x {
			x[i] = math.Float32frombits(uint32(toBFloat16(math.Float32bits(v))) << 16)
		}
		return
	}
	for i, v := range x {
		x[i] = math.Float32frombits(fromFloat16(toFloat16(math.Float32bits(v))))
	}
}

// Bits of float32.
const (
	abs32      = 1<<31 - 1
	infinity32 = 0xff << fraction32
	fraction32 = 23
	quiet32    = 1 << (fraction32 - 1)

	lowest16   = (127 - 14) << fraction32 // of the smallest normal number of float16
	overflow16 = (127 + 16) << fraction32 // of the first number beyond float16
	rebias16   = (127 - 15) << fraction32 // the difference of the exponents
	half32     = (127 - 1) << fraction32  // of 1/2
)

// toBFloat16 rounds the upper half of the bits b of a float32. A carry out of the
// fraction is right: the next number has the next exponent, and after the largest one
// comes infinity.
func toBFloat16(b uint32) uint16 {
	if b&abs32 > infinity32 {
		return uint16(b>>16) | quiet32>>16
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func fromBFloat16(b uint16) uint32 {
	x := uint32(b) << 16
	if x&abs32 > infinity32 {
		x |= quiet32
	}
	return x
}

func toFloat16(b uint32) uint16 {
	sign, a := uint16(b>>16&0x8000), b&abs32
	switch {
	case a > infinity32:
		return sign | 0x7e00 | uint16(a>>13)&0x3ff
	case a >= overflow16:
		return sign | 0x7c00
	case a < lowest16:
		// The last place of 1/2 + |x| is float16's smallest number.
		return sign | uint16(math.Float32bits(math.Float32frombits(a)+0.5)-half32)
	}
	return sign | uint16((a-rebias16+0xfff+a>>13&1)>>13)
}

func fromFloat16(b uint16) uint32 {
	sign, a := uint32(b&0x8000)<<16, uint32(b&0x7fff)<<13
	switch {
	case a > 0x7c00<<13:
		return sign | infinity32 | quiet32 | a&(1<<fraction32-1)
	case a == 0x7c00<<13:
		return sign | infinity32
	case a < 0x400<<13: // subnormal or zero: the inverse of what toFloat16 does
		return sign | math.Float32bits(math.Float32frombits(half32|a>>13)-0.5)
	}
	return sign | (a + rebias16)
}
