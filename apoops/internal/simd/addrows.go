package simd

import (
	"math"
	"unsafe"
)

// AddRows sets y = y + Σ_i f[i]·a[i·stride:][:len(y)]: row after row, with the products
// rounded first, as AddScaled of each row would. It has vector routines for float64 too.
func AddRows[T Float](y, a, f []T, stride int) {
	if len(y) == 0 || len(f) == 0 {
		return
	}
	a = a[:(len(f)-1)*stride+len(y)]
	switch {
	case level == Off:
		for i, v := range f {
			for j, x := range a[i*stride:][:len(y)] {
				y[j] += T(v * x)
			}
		}
	case single[T]():
		addRows32(singles(y), &singles(a)[0], stride, singles(f))
	default:
		addRows64(doubles(y), &doubles(a)[0], stride, doubles(f))
	}
}

// doubles is x, which is of float64.
func doubles[T Float](x []T) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// MaxAbs is the largest absolute value of x, NaN if one is a NaN, 0 without elements.
func MaxAbs[T Float](x []T) T {
	if fast[T]() {
		return T(maxAbs(singles(x)))
	}
	// Without their signs numbers are ordered as their bits are: no branch guesses a sign.
	var largest uint64
	for _, v := range x {
		largest = max(largest, math.Float64bits(float64(v))&^(1<<63))
	}
	return T(math.Float64frombits(largest))
}
