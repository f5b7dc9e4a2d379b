package blas

import (
	"sync"

	"github.com/pkg/errors"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
)

// Env is the environment variable that forces a library: openblas, mkl, blis,
// accelerate, or the path of a shared library with the Fortran BLAS interface and
// 32-bit integers; or does without: apo are the products of this module, gonum those
// of gonum. Empty or "auto" takes the first library found, with apo in the place of
// OpenBLAS for large products where the processor has AVX-512; without a library it
// takes apo, or gonum where the processor has no AVX2.
const Env = "APO_BLAS"

// implementation is what the package needs of a BLAS; gonum's, own and the foreign
// ones satisfy it, and gorgonia.Use takes it.
type implementation interface {
	gonumblas.Float32
	gonumblas.Float64
	gonumblas.Complex64
	gonumblas.Complex128
}

type choice struct {
	impl    implementation
	library string
	large   string // what computes large products, if not the library
	err     error
}

var selected = sync.OnceValue(func() choice {
	c := load()
	gorgonia.Use(c.impl)
	return c
})

// Use looks for a BLAS on first call, hands it to Gorgonia and returns its name, such
// as "openblas (libopenblas.so.0)", "openblas (libopenblas.so.0), large products apo
// (AVX-512)", "apo (AVX-512)" or "gonum". It returns an error if
// the library named in APO_BLAS cannot be opened; apo or gonum is used then.
func Use() (name string, err error) {
	c := selected()
	return c.library + c.large, c.err
}

// Gemm computes C = α·op(A)·op(B) + β·C for row-major matrices, where op(X) is
// X or its transpose: op(A) is m×k, op(B) k×n, C m×n. The lda, ldb, ldc are row
// lengths in memory.
func Gemm[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	gemmBy(selected().impl, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func gemmBy[T Float](impl implementation, transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	switch a := any(a).(type) {
	case []float32:
		y := any(b).([]float32)
		if size := (n-1)*ldb + k; transB && size > 0 && size < len(aligned{}) {
			place := alignedPool.Get().(*aligned)
			defer alignedPool.Put(place)
			y = place[:copy(place[:], y[:min(size, len(y))])]
		}
		impl.Sgemm(trans(transA), trans(transB), m, n, k, float32(alpha), a, lda, y, ldb, float32(beta), any(c).([]float32), ldc)
	case []float64:
		impl.Dgemm(trans(transA), trans(transB), m, n, k, float64(alpha), a, lda, any(b).([]float64), ldb, float64(beta), any(c).([]float64), ldc)
	}
}

// SerialGemm is Gemm on the calling goroutine, for one that is itself a piece of
// a loop on all cores.
func SerialGemm[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	switch f := selected().impl.(type) {
	case own:
		gemm.Serial(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
	case foreign:
		if f.large && isLarge(m, n, k) {
			gemm.Serial(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
			return
		}
		foreignSerial(f, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
	default:
		Gemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
	}
}

func foreignSerial[T Float](f foreign, transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	ta, tb := trans(transA), trans(transB)
	switch a := any(a).(type) {
	case []float32:
		multiply(&products32, &pool32, f.sgemm, false, ta, tb, m, n, k, float32(alpha), a, lda, any(b).([]float32), ldb, float32(beta), any(c).([]float32), ldc)
	case []float64:
		multiply(&products64, &pool64, f.dgemm, false, ta, tb, m, n, k, float64(alpha), a, lda, any(b).([]float64), ldb, float64(beta), any(c).([]float64), ldc)
	}
}

func trans(t bool) gonumblas.Transpose {
	if t {
		return gonumblas.Trans
	}
	return gonumblas.NoTrans
}

// gonumOnly is gonum without any other.
func gonumOnly(err error) choice {
	return choice{impl: gonum.Implementation{}, library: "gonum", err: errors.WithMessage(err, "blas")}
}

// aligned has a place for an array that begins at a multiple of 16 bytes, as all Go
// arrays of 32 bytes and more do. The order in which gonum adds up a product with Bᵀ
// depends on where B begins within 16 bytes, and the allocator puts smaller arrays
// anywhere.
type aligned [8]float32

var alignedPool = sync.Pool{New: func() any { return new(aligned) }}
