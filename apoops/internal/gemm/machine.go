package gemm

import "unsafe"

// machine are the routines for one element type on one kind of processor.
type machine[T Float] struct {
	rows, cols      int // the tile of the kernel
	kernel          func(*call[T])
	copy, transpose func(*rowsOf[T])
}

// portable are the routines in Go.
func portable[T Float]() machine[T] {
	return machine[T]{8, 64 / sizeOf[T](), kernelGo[T], copyGo[T], transposeGo[T]}
}

var (
	portable32 = portable[float32]()
	portable64 = portable[float64]()
)

// of is the machine for T.
func of[T Float](for32 *machine[float32], for64 *machine[float64]) *machine[T] {
	if single[T]() {
		return (*machine[T])(unsafe.Pointer(for32))
	}
	return (*machine[T])(unsafe.Pointer(for64))
}
