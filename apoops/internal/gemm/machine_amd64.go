package gemm

import (
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

//go:noescape
func kernel32AVX512(t *call[float32])

//go:noescape
func kernel64AVX512(t *call[float64])

var (
	avx512For32 = machine[float32]{14, 32, kernel32AVX512, copyGo[float32], transposeGo[float32]}
	avx512For64 = machine[float64]{14, 16, kernel64AVX512, copyGo[float64], transposeGo[float64]}
)

// Fast reports whether the routines in assembly are used.
func Fast() bool {
	return simd.Current() == simd.AVX512
}

// current are the routines of the level in use.
func current[T Float]() *machine[T] {
	switch simd.Current() {
	case simd.AVX512:
		return of[T](&avx512For32, &avx512For64)
	}
	return of[T](&portable32, &portable64)
}
