package simd

import "unsafe"

// The routines read and write n elements and nothing beside them; n is at least 1.

//go:noescape
func expsAVX512(z *float64, n int)

//go:noescape
func expsAVX2(z *float64, n int)

//go:noescape
func expBlockAVX512(dst *float64, z *float32, n int, m float64)

//go:noescape
func expBlockAVX2(dst *float64, z *float32, n int, m float64)

//go:noescape
func expRowAVX512(lanes *Lanes, dst, z *float32, n int, m float64)

//go:noescape
func expRowAVX2(lanes *Lanes, dst, z *float32, n int, m float64)

//go:noescape
func sumExpAVX512(lanes *Lanes, z *float32, n int, m float64)

//go:noescape
func sumExpAVX2(lanes *Lanes, z *float32, n int, m float64)

//go:noescape
func expLessAVX512(dst, z *float32, n int, m, less, f float64)

//go:noescape
func expLessAVX2(dst, z *float32, n int, m, less, f float64)

// logistic takes a multiple of four elements.
//
//go:noescape
func logistic(z []float64)

//go:noescape
func maxAVX512(z *float32, n int) float32

//go:noescape
func maxAVX2(z *float32, n int) float32

// at is the address of the first element, which may be missing.
func at[T any](x []T) *T { return unsafe.SliceData(x) }

func expsVector(z []float64) bool {
	switch {
	case len(z) == 0:
	case level == AVX512:
		expsAVX512(at(z), len(z))
	case level == AVX2:
		expsAVX2(at(z), len(z))
	default:
		return false
	}
	return true
}

func expBlockVector(dst []float64, z []float32, m float64) bool {
	switch {
	case len(z) == 0:
	case level == AVX512:
		expBlockAVX512(at(dst), at(z), len(z), m)
	case level == AVX2:
		expBlockAVX2(at(dst), at(z), len(z), m)
	default:
		return false
	}
	return true
}

func expRowVector(lanes *Lanes, dst, z []float32, m float64) bool {
	switch {
	case len(z) == 0:
	case level == AVX512:
		expRowAVX512(lanes, at(dst), at(z), len(z), m)
	case level == AVX2:
		expRowAVX2(lanes, at(dst), at(z), len(z), m)
	default:
		return false
	}
	return true
}

func sumExpVector(lanes *Lanes, z []float32, m float64) bool {
	switch {
	case len(z) == 0:
	case level == AVX512:
		sumExpAVX512(lanes, at(z), len(z), m)
	case level == AVX2:
		sumExpAVX2(lanes, at(z), len(z), m)
	default:
		return false
	}
	return true
}

func expLessVector(dst, z []float32, m, less, f float64) bool {
	switch {
	case len(z) == 0:
	case level == AVX512:
		expLessAVX512(at(dst), at(z), len(z), m, less, f)
	case level == AVX2:
		expLessAVX2(at(dst), at(z), len(z), m, less, f)
	default:
		return false
	}
	return true
}

func maxVector(z []float32) (m float32, ok bool) {
	switch {
	case len(z) == 0:
	case level == AVX512:
		return maxAVX512(at(z), len(z)), true
	case level == AVX2:
		return maxAVX2(at(z), len(z)), true
	}
	return 0, false
}
