package gemm

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Symmetric computes C = α·op(A)·op(A)ᵀ + β·C on all cores, where op(A), n×k, is A or its
// transpose, and C, n×n, is symmetric where β is not 0. It leaves out the kernel's tiles
// above the diagonal and mirrors those below. The bits are Multiply's.
func Symmetric[T Float](trans bool, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int) {
	multiply(par.Cores(), true, trans, !trans, n, n, k, alpha, a, lda, a, lda, beta, c, ldc)
	Mirror(n, c, ldc)
}

const (
	// mirrorRows is a multiple of the lanes of a vector: so many rows become columns at
	// once.
	mirrorRows = 16
	// mirrorGrain is about the number of elements that a core mirrors at once.
	mirrorGrain = 1 << 14
)

// Mirror copies the lower triangle of C, n×n, to the upper one, on all cores.
func Mirror[T Float](n int, c []T, ldc int) {
	newMatrix(false, n, n, c, ldc, "C")
	pool := &mirrors64
	if single[T]() {
		pool = &mirrors32
	}
	m := pool.Get().(*mirror[T])
	m.n, m.c, m.ldc = n, c, ldc
	par.For(pieces(n, mirrorRows), max(1, mirrorGrain/(mirrorRows*max(n, 1))), m.body)
	m.c = nil
	pool.Put(m)
}

// mirror is one call of Mirror.
type mirror[T Float] struct {
	n, ldc int
	c      []T
	body   func(lo, hi int)
}

var (
	mirrors32 = sync.Pool{New: func() any { return newMirror[float32]() }}
	mirrors64 = sync.Pool{New: func() any { return newMirror[float64]() }}
)

func newMirror[T Float]() *mirror[T] {
	m := new(mirror[T])
	m.body = m.blocks
	return m
}

// blocks makes columns of the blocks [lo, hi) of rows.
func (m *mirror[T]) blocks(lo, hi int) {
	w := workers[T]().Get().(*worker[T])
	for i := lo; i < hi; i++ {
		m.block(w, i*mirrorRows, min((i+1)*mirrorRows, m.n))
	}
	w.free()
}

// block makes columns of the rows [first, last), up to the diagonal.
func (m *mirror[T]) block(w *worker[T], first, last int) {
	from := 0
	if last-first == mirrorRows && first > 0 {
		w.rows = rowsOf[T]{dst: m.c[first:], dstRow: m.ldc, src: m.c[first*m.ldc:], srcRow: m.ldc, rows: first, cols: mirrorRows}
		current[T]().transpose(&w.rows)
		from = first
	}
	for r := first; r < last; r++ {
		for q := from; q < r; q++ {
			m.c[q*m.ldc+r] = m.c[r*m.ldc+q]
		}
	}
}
