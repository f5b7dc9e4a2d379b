package blas

import (
	"unsafe"

	gonumblas "gonum.org/v1/gonum/blas"
)

// vectorFits panics where a strided vector does not fit its slice.
func vectorFits[T Float](x []T, n, inc int, name string) {
	if inc == 0 || (n > 0 && len(x) < (n-1)*max(inc, -inc)+1) {
		panic("blas: " + name + " is too short for its length")
	}
}

// gemv computes y = α·op(A)·x + β·y for a row-major m×n matrix A.
func gemv[T Float](fn routine, p *params[T], ta gonumblas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) {
	if m < 0 || n < 0 {
		panic("blas: negative dimension")
	}
	if m == 0 || n == 0 {
		return
	}
	lenX, lenY, flipped := n, m, byte('T')
	if ta != gonumblas.NoTrans {
		lenX, lenY, flipped = m, n, 'N'
	}
	fits(a, m, n, lda, "A")
	vectorFits(x, lenX, incX, "x")
	vectorFits(y, lenY, incY, "y")
	p.transA, p.m, p.n = flipped, int32(n), int32(m)
	p.lda, p.ldb, p.ldc = int32(lda), int32(incX), int32(incY)
	p.alpha, p.beta = alpha, beta
	p.a, p.b, p.c = &a[0], &x[0], &y[0]
	p.call(fn, unsafe.Pointer(&p.transA), unsafe.Pointer(&p.m), unsafe.Pointer(&p.n),
		unsafe.Pointer(&p.alpha), unsafe.Pointer(p.a), unsafe.Pointer(&p.lda), unsafe.Pointer(p.b), unsafe.Pointer(&p.ldb),
		unsafe.Pointer(&p.beta), unsafe.Pointer(p.c), unsafe.Pointer(&p.ldc))
}

// ger computes A += α·x·yᵀ for a row-major m×n matrix A.
func ger[T Float](fn routine, p *params[T], m, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int) {
	if m < 0 || n < 0 {
		panic("blas: negative dimension")
	}
	if m == 0 || n == 0 {
		return
	}
	fits(a, m, n, lda, "A")
	vectorFits(x, m, incX, "x")
	vectorFits(y, n, incY, "y")
	p.m, p.n, p.alpha = int32(n), int32(m), alpha
	p.lda, p.ldb, p.ldc = int32(lda), int32(incY), int32(incX)
	p.a, p.b, p.c = &a[0], &y[0], &x[0]
	p.call(fn, unsafe.Pointer(&p.m), unsafe.Pointer(&p.n), unsafe.Pointer(&p.alpha),
		unsafe.Pointer(p.b), unsafe.Pointer(&p.ldb), unsafe.Pointer(p.c), unsafe.Pointer(&p.ldc),
		unsafe.Pointer(p.a), unsafe.Pointer(&p.lda))
}

// Sgemv computes y = α·op(A)·x + β·y in float32.
func (f foreign) Sgemv(ta gonumblas.Transpose, m, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	p := pool32.Get().(*params[float32])
	gemv(f.sgemv, p, ta, m, n, alpha, a, lda, x, incX, beta, y, incY)
	pool32.Put(p)
}

// Dgemv computes y = α·op(A)·x + β·y in float64.
func (f foreign) Dgemv(ta gonumblas.Transpose, m, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	p := pool64.Get().(*params[float64])
	gemv(f.dgemv, p, ta, m, n, alpha, a, lda, x, incX, beta, y, incY)
	pool64.Put(p)
}

// Sger computes A += α·x·yᵀ in float32.
func (f foreign) Sger(m, n int, alpha float32, x []float32, incX int, y []float32, incY int, a []float32, lda int) {
	p := pool32.Get().(*params[float32])
	ger(f.sger, p, m, n, alpha, x, incX, y, incY, a, lda)
	pool32.Put(p)
}

// Dger computes A += α·x·yᵀ in float64.
func (f foreign) Dger(m, n int, alpha float64, x []float64, incX int, y []float64, incY int, a []float64, lda int) {
	p := pool64.Get().(*params[float64])
	ger(f.dger, p, m, n, alpha, x, incX, y, incY, a, lda)
	pool64.Put(p)
}
