// Package simd has the inner loops of package apoops for float32, in the vector
// instructions that the processor has: AVX-512, AVX2, or none of them. Every routine
// has a twin in Go, which runs where the processor has neither, and all give the same
// bits:
//
//   - A product and a sum are rounded one by one, never by a fused instruction. The
//     twins convert products, float64(x*y) + z, as Go fuses them on some processors
//     otherwise.
//   - A sum over Sequential elements or more is made in eight partial sums, element i
//     in sum i%8, which Lanes.Sum adds up; a shorter one is made as for float64.
//   - A NaN is a NaN; its bits may differ.
//
// APO_SIMD=off (or avx2, avx512) forces a choice, which changes the time of a run and
// nothing else; but without vectors and without a BLAS library, package blas takes
// other products, and without AVX-512 convolutions of 3×3 kernels take other sums.
package simd
