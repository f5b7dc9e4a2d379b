package gemm

import (
	"golang.org/x/sys/cpu"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

//go:noescape
func kernel32AVX512(t *call[float32])

//go:noescape
func kernel64AVX512(t *call[float64])

//go:noescape
func copy32AVX512(t *rowsOf[float32])

//go:noescape
func copy64AVX512(t *rowsOf[float64])

//go:noescape
func transpose32AVX512(t *rowsOf[float32])

//go:noescape
func transpose64AVX512(t *rowsOf[float64])

//go:noescape
func kernel32AVX2(t *call[float32])

//go:noescape
func kernel64AVX2(t *call[float64])

// edge has the masks of AVX2 for the elements of two vectors: those of n bytes begin 64-n
// bytes from its start on.
//
//lint:ignore U1000 assembly uses it
var edge = func() (e [32]int32) {
	for i := range 16 {
		e[i] = -1
	}
	return e
}()

var (
	avx512For32 = machine[float32]{14, 32, kernel32AVX512, copy32AVX512, transpose32AVX512}
	avx512For64 = machine[float64]{14, 16, kernel64AVX512, copy64AVX512, transpose64AVX512}
	avx2For32   = machine[float32]{6, 16, kernel32AVX2, copyGo[float32], transposeGo[float32]}
	avx2For64   = machine[float64]{6, 8, kernel64AVX2, copyGo[float64], transposeGo[float64]}
)

// Fast reports whether the routines in assembly are used.
func Fast() bool {
	return simd.Current() == simd.AVX512 || simd.Current() == simd.AVX2 && cpu.X86.HasFMA
}

// Instructions names the vector instructions in use, or Go.
func Instructions() string {
	switch {
	case !Fast():
		return "Go"
	case simd.Current() == simd.AVX512:
		return "AVX-512"
	}
	return "AVX2"
}

// current are the routines of the level in use.
func current[T Float]() *machine[T] {
	switch {
	case !Fast():
		return of[T](&portable32, &portable64)
	case simd.Current() == simd.AVX512:
		return of[T](&avx512For32, &avx512For64)
	}
	return of[T](&avx2For32, &avx2For64)
}
