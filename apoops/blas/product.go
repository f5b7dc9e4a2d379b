package blas

import (
	"sync"

	gonumblas "gonum.org/v1/gonum/blas"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// product is one call of gemm. Where the library works on one core, large
// products are cut into tiles of C for package par: a library's own threads go
// on spinning after a product and take the cores from the loops that follow.
type product[T Float] struct {
	fn            routine
	pool          *sync.Pool // of *params[T]
	ta, tb        gonumblas.Transpose
	m, n, k       int
	alpha, beta   T
	a, b, c       []T
	lda, ldb, ldc int
	tile          tile
	body          func(lo, hi int)
}

func newProduct[T Float]() *product[T] {
	p := new(product[T])
	p.body = p.tiles
	return p
}

// run computes the product, on all cores if split is set.
func (p *product[T]) run(split bool) {
	p.tile = cut(p.m, p.n, p.k)
	if tiles := p.tile.count(p.m, p.n); split && tiles > 1 {
		par.For(tiles, 1, p.body)
	} else {
		p.piece(0, 0, p.m, p.n)
	}
	p.a, p.b, p.c = nil, nil, nil
}

// tiles computes the tiles [lo, hi).
func (p *product[T]) tiles(lo, hi int) {
	for t := lo; t < hi; t++ {
		i, j := p.tile.at(t, p.n)
		p.piece(i, j, min(p.tile.rows, p.m-i), min(p.tile.cols, p.n-j))
	}
}

// piece computes the m×n elements of C from row i and column j on.
func (p *product[T]) piece(i, j, m, n int) {
	a := p.a[step(p.ta == gonumblas.NoTrans, i, p.lda):]
	b := p.b[step(p.tb != gonumblas.NoTrans, j, p.ldb):]
	args := p.pool.Get().(*params[T])
	foreignGemm(p.fn, args, p.ta, p.tb, m, n, p.k, p.alpha, a, p.lda, b, p.ldb, p.beta, p.c[i*p.ldc+j:], p.ldc)
	p.pool.Put(args)
}

// step is where row lo of a matrix starts, or its column lo.
func step(row bool, lo, ld int) int {
	if row {
		return lo * ld
	}
	return lo
}
