package half

import (
	"golang.org/x/sys/cpu"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// The routines take n elements, a multiple of 16 (of 8 where they draw).

//go:noescape
func packFloat16AVX2(dst *uint16, src *float32, n int)

//go:noescape
func packBFloat16AVX2(dst *uint16, src *float32, n int)

//go:noescape
func expandFloat16AVX2(dst *float32, src *uint16, n int)

//go:noescape
func expandBFloat16AVX2(dst *float32, src *uint16, n int)

//go:noescape
func packBFloat16AVX512(dst *uint16, src *float32, n int)

//go:noescape
func expandBFloat16AVX512(dst *float32, src *uint16, n int)

//go:noescape
func roundFloat16AVX2(x *float32, n int)

//go:noescape
func roundBFloat16AVX2(x *float32, n int)

//go:noescape
func drawBFloat16AVX512(dst *uint16, src *float32, n int, state uint64)

//go:noescape
func redrawBFloat16AVX512(x *float32, n int, state uint64)

func useAVX2() bool { return simd.Current() >= simd.AVX2 && cpu.X86.HasF16C }

func useAVX512() bool { return simd.Current() >= simd.AVX512 }

// The functions of this file convert the first elements, as many as fill whole
// vectors, and return their number: 0 where the processor has none.

func packVector(f Format, dst []uint16, src []float32) int {
	n := len(src) &^ 15
	switch {
	case n == 0 || !useAVX2():
		return 0
	case f == BFloat16 && useAVX512():
		packBFloat16AVX512(&dst[0], &src[0], n)
	case f == BFloat16:
		packBFloat16AVX2(&dst[0], &src[0], n)
	default:
		packFloat16AVX2(&dst[0], &src[0], n)
	}
	return n
}

func expandVector(f Format, dst []float32, src []uint16) int {
	n := len(src) &^ 15
	switch {
	case n == 0 || !useAVX2():
		return 0
	case f == BFloat16 && useAVX512():
		expandBFloat16AVX512(&dst[0], &src[0], n)
	case f == BFloat16:
		expandBFloat16AVX2(&dst[0], &src[0], n)
	default:
		expandFloat16AVX2(&dst[0], &src[0], n)
	}
	return n
}

func roundVector(f Format, x []float32) int {
	n := len(x) &^ 15
	switch {
	case n == 0 || !useAVX2():
		return 0
	case f == BFloat16:
		roundBFloat16AVX2(&x[0], n)
	default:
		roundFloat16AVX2(&x[0], n)
	}
	return n
}

// drawVector is PackStochastic of bfloat16; state is the generator's for the first
// element.
func drawVector(dst []uint16, src []float32, state uint64) int {
	n := len(src) &^ 7
	if n == 0 || !useAVX512() {
		return 0
	}
	drawBFloat16AVX512(&dst[0], &src[0], n, state)
	return n
}

// redrawVector is RoundStochastic of bfloat16.
func redrawVector(x []float32, state uint64) int {
	n := len(x) &^ 7
	if n == 0 || !useAVX512() {
		return 0
	}
	redrawBFloat16AVX512(&x[0], n, state)
	return n
}
