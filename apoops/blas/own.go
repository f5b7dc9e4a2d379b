package blas

import (
	"github.com/pkg/errors"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
)

// ownName is that of own in APO_BLAS.
const ownName = "apo"

// own overrides gonum's products of matrices with those of package gemm.
type own struct{ gonum.Implementation }

// ownProducts is the choice of own.
func ownProducts(err error) choice {
	return choice{impl: own{}, name: ownName + " (" + gemm.Instructions() + ")", err: errors.WithMessage(err, "blas")}
}

// noLibrary is what is always there: own where the processor has vectors for it, else
// gonum, which is faster than own without them.
func noLibrary(err error) choice {
	if gemm.Fast() {
		return ownProducts(err)
	}
	return gonumOnly(err)
}

// Sgemm computes C = α·op(A)·op(B) + β·C in float32.
func (own) Sgemm(ta, tb gonumblas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	gemm.Multiply(ta != gonumblas.NoTrans, tb != gonumblas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dgemm computes C = α·op(A)·op(B) + β·C in float64.
func (own) Dgemm(ta, tb gonumblas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	gemm.Multiply(ta != gonumblas.NoTrans, tb != gonumblas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}
