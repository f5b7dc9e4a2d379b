package gemm

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Multiply computes C = α·op(A)·op(B) + β·C for row-major matrices on all cores, where
// op(X) is X or its transpose: op(A) is m×k, op(B) k×n, C m×n. The lda, ldb, ldc are row
// lengths in memory. C must not overlap A or B. It panics where a matrix does not fit
// its slice. As in BLAS, A and B are not read where α is 0, nor is C where β is 0.
func Multiply[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	multiply(par.Cores(), false, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Serial is Multiply on the calling goroutine, with the same bits.
func Serial[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	multiply(1, false, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func multiply[T Float](cores int, lower, transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if m < 0 || n < 0 || k < 0 {
		panic("gemm: negative dimension")
	}
	x, y := newMatrix(transA, m, k, a, lda, "A"), newMatrix(transB, k, n, b, ldb, "B")
	newMatrix(false, m, n, c, ldc, "C")
	if m == 0 || n == 0 {
		return
	}
	if k == 0 || alpha == 0 {
		scale(m, n, beta, c, ldc)
		return
	}
	if n == 1 && ldc == 1 { // Cᵀ has the same elements in the same places
		m, n, x, y = n, m, y.transposed(), x.transposed()
	}
	pool := products[T]()
	p := pool.Get().(*product[T])
	p.machine, p.lower = current[T](), lower
	p.m, p.n, p.k, p.alpha, p.beta = m, n, k, alpha, beta
	p.a, p.b, p.c, p.ldc = x, y, c, max(ldc, n)
	p.run(cores)
	p.a, p.b, p.c = matrix[T]{}, matrix[T]{}, nil
	pool.Put(p)
}

// scale computes C = β·C.
func scale[T Float](m, n int, beta T, c []T, ldc int) {
	for i := range m {
		row := c[i*ldc:][:n]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

// matrix is an operand, transposed or not.
type matrix[T Float] struct {
	x     []T
	ld    int
	trans bool
}

func newMatrix[T Float](trans bool, rows, cols int, x []T, ld int, name string) matrix[T] {
	if trans {
		rows, cols = cols, rows
	}
	if ld < max(cols, 1) || (rows > 0 && cols > 0 && len(x) < (rows-1)*ld+cols) {
		panic("gemm: " + name + " is too short for its shape")
	}
	return matrix[T]{x, ld, trans}
}

// transposed is the transpose, in the same place.
func (m matrix[T]) transposed() matrix[T] {
	m.trans = !m.trans
	return m
}

// from are the elements from (row, col) on.
func (m *matrix[T]) from(row, col int) []T {
	if m.trans {
		row, col = col, row
	}
	return m.x[row*m.ld+col:]
}

// collides reports whether rows that are read side by side have the same place in the
// first cache.
func (m *matrix[T]) collides() bool { return !m.trans && m.ld*sizeOf[T]()%4096 == 0 }

// strides are the distances of rows and columns.
func (m *matrix[T]) strides() (row, col int) {
	if m.trans {
		return 1, m.ld
	}
	return m.ld, 1
}

var (
	products32 = sync.Pool{New: func() any { return newProduct[float32]() }}
	products64 = sync.Pool{New: func() any { return newProduct[float64]() }}
)

func products[T Float]() *sync.Pool {
	if single[T]() {
		return &products32
	}
	return &products64
}
