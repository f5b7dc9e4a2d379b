package blas

import (
	"strings"

	"github.com/pkg/errors"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// ownName is that of own in APO_BLAS.
const ownName = "apo"

// own overrides gonum's products of matrices with those of package gemm.
type own struct{ gonum.Implementation }

// ownProducts is the choice of own.
func ownProducts(err error) choice {
	return choice{impl: own{}, library: ownName + " (" + gemm.Instructions() + ")", err: errors.WithMessage(err, "blas")}
}

// noLibrary is what is always there: own where the processor has vectors for it, else
// gonum, which is faster than own without them.
func noLibrary(err error) choice {
	if gemm.Fast() {
		return ownProducts(err)
	}
	return gonumOnly(err)
}

const (
	// largeFrom is the number of multiplications from which own computes products in the
	// place of OpenBLAS on a processor with AVX-512. From 2^20 on it is faster. Below, on one
	// core, A·B and Aᵀ·B take up to 1.5 times OpenBLAS's time and A·Bᵀ from half of it on,
	// together as long (BenchmarkOwnOverLibrary has the shapes); and a number below the normal
	// range costs own nothing, but in OpenBLAS on a processor of Intel a hundred times the
	// time of another.
	largeFrom = 1 << 12
	// largeSide is the fewest rows and columns of such a product: OpenBLAS is faster where
	// one of them is a vector.
	largeSide = 8
)

// isLarge reports whether own computes a product of m×k and k×n in the place of
// OpenBLAS. It follows from the shape alone, as the bits of the result do.
func isLarge(m, n, k int) bool {
	return min(m, n) >= largeSide && float64(m)*float64(n)*float64(k) >= largeFrom
}

// withOwn is the library with own for large products, if that is faster.
func (c choice) withOwn() choice {
	f, ok := c.impl.(foreign)
	if !ok || simd.Current() != simd.AVX512 || !strings.HasPrefix(c.library, "openblas ") {
		return c
	}
	f.large = true
	c.impl, c.large = f, ", large products "+ownProducts(nil).library
	return c
}

// Sgemm computes C = α·op(A)·op(B) + β·C in float32.
func (own) Sgemm(ta, tb gonumblas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	gemm.Multiply(ta != gonumblas.NoTrans, tb != gonumblas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dgemm computes C = α·op(A)·op(B) + β·C in float64.
func (own) Dgemm(ta, tb gonumblas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	gemm.Multiply(ta != gonumblas.NoTrans, tb != gonumblas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}
