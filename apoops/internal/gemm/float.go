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
