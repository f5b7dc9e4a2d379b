// Package blas finds the fastest BLAS of the machine when the program starts
// to compute: OpenBLAS, MKL, BLIS or Accelerate opened at run time. Where none is
// there, products of matrices are this module's own, in AVX-512 or AVX2, and all
// else is gonum's; so are the products where the processor has neither. With OpenBLAS
// on a processor with AVX-512, all but small products are this module's own too: they are
// as fast or faster. It needs no C compiler and no build tag, and gives Gorgonia the same library.
//
//	name, err := blas.Use()                  // "openblas (libopenblas.so.0)"
//	err = blas.Eigen(n, a, w)                // symmetric eigendecomposition, in place
//	err = blas.Inverse(n, a)                 // of a positive definite matrix
//	blas.Gemm(false, true, m, n, k, 1, a, k, b, k, 0, c, n) // C = A·Bᵀ
//	blas.Syrk(true, n, k, 1, a, n, 0, c, n)                 // C = Aᵀ·A, half of the work
//
// An OpenBLAS that is older than the processor may take it for a much older one. It is
// then opened for one with the same vectors, unless OPENBLAS_CORETYPE is set.
//
// The decompositions are the library's LAPACK's where it has one (OpenBLAS, MKL and
// Accelerate do), gonum's otherwise.
//
// APO_BLAS=gonum (or apo, openblas, mkl, blis, accelerate, /path/to/lib.so) forces
// one. The products of apo, this module, have the same bits on every processor; in them
// numbers below the normal range count as 0. Those of a library are cut into tiles by
// their shapes alone, each computed on one core, so with one library of one version, on
// one kind of processor, results are the same bit for bit on any number of cores. Libraries whose own threads cannot be switched
// off (Accelerate) do not promise that. Between libraries results differ by rounding.
package blas
