package gemm

import (
	"math"
	"unsafe"
)

// Float is the set of element types.
type Float interface{ float32 | float64 }

// single reports whether T is float32.
func single[T Float]() bool { return unsafe.Sizeof(T(0)) == unsafe.Sizeof(float32(0)) }

// sizeOf is the number of bytes of an element.
func sizeOf[T Float]() int { return int(unsafe.Sizeof(T(0))) }

// flushed is x, or the 0 of its sign if it is below the normal range.
func flushed[T Float](x T) T {
	if isTiny(x, false) {
		return T(math.Copysign(0, float64(x)))
	}
	return x
}

// isTiny reports whether x is below the normal range but not 0. below is set for a result
// that was rounded up to the least normal number and would be less with all digits of its own.
func isTiny[T Float](x T, below bool) bool {
	least := 0x1p-1022
	if single[T]() {
		least = 0x1p-126
	}
	size := math.Abs(float64(x))
	return x != 0 && (size < least || size == least && below)
}

// multiplyAdd is x·y + z, rounded once, where numbers below the normal range count as 0, as
// operands and as results. A result is that if it is so when rounded to all its digits, as
// the processor has it.
func multiplyAdd[T Float](x, y, z T) T {
	x, y, z = flushed(x), flushed(y), flushed(z)
	r := fma(x, y, z)
	if math.Abs(float64(r)) > 0x1p-126 || r == 0 {
		return r
	}
	const up = 0x1p64 // exact for x and z of such a result
	if isTiny(r, math.Abs(float64(fma(x*up, y, z*up))) < math.Abs(float64(r*up))) {
		return T(math.Copysign(0, float64(r)))
	}
	return r
}

// times is x·y in the same way.
func times[T Float](x, y T) T {
	x, y = flushed(x), flushed(y)
	if r := multiplyAdd(x, y, 0); r != 0 {
		return r
	}
	return x * T(math.Copysign(0, float64(y))) // the 0 of the product's sign
}

// fma is x·y + z, rounded once.
func fma[T Float](x, y, z T) T {
	if !single[T]() {
		return T(math.FMA(float64(x), float64(y), float64(z)))
	}
	// The product is exact in float64, the sum is not. Rounded to odd it has what
	// decides the rounding to float32 (S. Boldo, G. Melquiond, "Emulation of a FMA and
	// correctly rounded sums: proved algorithms using rounding to odd").
	p, q := float64(x)*float64(y), float64(z)
	sum := p + q
	back := sum - p
	rest := (p - (sum - back)) + (q - back)
	if bits := math.Float64bits(sum); rest != 0 && bits&1 == 0 && rest == rest {
		if (rest > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return T(sum)
}
