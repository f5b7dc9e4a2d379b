// Package gemm multiplies matrices of float32 and float64, C = α·op(A)·op(B) + β·C, in
// the vector instructions that the processor has: AVX-512, or AVX2 with FMA; package
// simd chooses. Where it has neither, Go does the same work slowly.
//
// It follows K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008). A kernel has a tile of C in registers and adds to it the
// products of a panel of A (a few rows) and a strip of B (a few columns), both packed so
// that memory is read from front to back. C is cut into tasks, each of which packs what it
// needs of A and of B: cores wait for one another at the end alone. What is used once or
// twice is not packed.
//
// The bits of a result depend on its operands and on k alone, not on the processor, the
// number of cores or the place of an element in C: the sum of an element over a block of
// steps begins at 0 and takes the products in their order, each by one fused operation,
// and is multiplied by α and added to the element before the next block. A NaN is a NaN;
// its bits may differ. Numbers below the normal range count as 0, as operands and as results:
// processors of Intel take up to 400 times as long for them.
package gemm
