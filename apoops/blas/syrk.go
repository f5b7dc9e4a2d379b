package blas

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Syrk computes C = α·op(A)·op(A)ᵀ + β·C for row-major matrices, where op(A), n×k, is A
// or its transpose, and C is n×n. C must be symmetric where β is not 0. Large products
// take about half of Gemm's multiplications: tiles of the lower triangle are computed on
// all cores, and the upper triangle is its mirror image. The lda and ldc are row lengths
// in memory.
//
// It is the module's own product wherever Gemm computes large products so. Then, and where
// Gemm's is the module's own too, the bits are Gemm's.
func Syrk[T Float](trans bool, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int) {
	syrkBy(selected().impl, trans, n, k, alpha, a, lda, beta, c, ldc)
}

const (
	// syrkFrom is the number of rows from which half of the multiplications take less
	// time than all of them, by BenchmarkSyrkOverGemm.
	syrkFrom = 64
	// syrkUnit divides the length of tiles, of which there are about syrkAcross in a row.
	syrkUnit, syrkAcross = 64, 8
	// diagonalFrom is the length from which a library's syrk computes a tile on the
	// diagonal faster than its gemm.
	diagonalFrom = 48
)

func syrkBy[T Float](impl implementation, trans bool, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int) {
	if n < syrkFrom || float64(n)*float64(n)*float64(k) < tileFrom {
		gemmBy(impl, trans, !trans, n, n, k, alpha, a, lda, a, lda, beta, c, ldc)
		return
	}
	if trans {
		fits(a, k, n, lda, "A")
	} else {
		fits(a, n, k, lda, "A")
	}
	fits(c, n, n, ldc, "C")
	f, library := impl.(foreign)
	if _, ok := impl.(own); ok || library && f.large {
		gemm.Symmetric(trans, n, k, alpha, a, lda, beta, c, ldc)
		return
	}
	pool := Pick[T](&ranks32, &ranks64)
	p := pool.Get().(*rank[T])
	p.impl, p.trans, p.n, p.k, p.alpha, p.beta = impl, trans, n, k, alpha, beta
	p.a, p.lda, p.c, p.ldc = a, lda, c, ldc
	p.run(library && !f.split)
	gemm.Mirror(n, c, ldc)
	p.impl, p.a, p.c = nil, nil, nil
	pool.Put(p)
}

// rank is one call of Syrk.
type rank[T Float] struct {
	impl        implementation
	trans       bool
	n, k        int
	alpha, beta T
	a, c        []T
	lda, ldc    int
	length      int // of a tile
	body        func(lo, hi int)
}

var (
	ranks32 = sync.Pool{New: func() any { return newRank[float32]() }}
	ranks64 = sync.Pool{New: func() any { return newRank[float64]() }}
)

func newRank[T Float]() *rank[T] {
	p := new(rank[T])
	p.body = p.tiles
	return p
}

// run computes the lower triangle. As in cut, the tiles follow from the shape alone. There
// is one where the library has threads of its own.
func (p *rank[T]) run(threads bool) {
	p.length = pieces(pieces(p.n, syrkAcross), syrkUnit) * syrkUnit
	if threads {
		p.length = p.n
	}
	across := pieces(p.n, p.length)
	par.For(across*(across+1)/2, 1, p.body)
}

// tiles computes the tiles [lo, hi) of the lower triangle, counted row by row from the
// longest row on.
func (p *rank[T]) tiles(lo, hi int) {
	across := pieces(p.n, p.length)
	for t := lo; t < hi; t++ {
		i, j := across-1, t
		for j > i {
			j -= i + 1
			i--
		}
		p.tile(i*p.length, j*p.length)
	}
}

// tile computes the tile from row i and column j on.
func (p *rank[T]) tile(i, j int) {
	m, n := min(p.length, p.n-i), min(p.length, p.n-j)
	a, b := p.a[step(!p.trans, i, p.lda):], p.a[step(!p.trans, j, p.lda):]
	c := p.c[i*p.ldc+j:]
	f, library := p.impl.(foreign)
	switch {
	case library && i == j && m >= diagonalFrom:
		foreignSyrk(f, p.trans, m, p.k, p.alpha, a, p.lda, p.beta, c, p.ldc)
	case library:
		foreignSerial(f, p.trans, !p.trans, m, n, p.k, p.alpha, a, p.lda, b, p.lda, p.beta, c, p.ldc)
	default:
		gemmBy(p.impl, p.trans, !p.trans, m, n, p.k, p.alpha, a, p.lda, b, p.lda, p.beta, c, p.ldc)
	}
}
