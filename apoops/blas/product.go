package blas

import (
	"runtime"
	"sync"

	gonumblas "gonum.org/v1/gonum/blas"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// product is one call of gemm. Where the library works on one core, large
// products are cut into pieces of C's rows or columns for package par: a
// library's own threads go on spinning after a product and take the cores from
// the loops that follow.
type product[T Float] struct {
	fn                uintptr
	pool              *sync.Pool // of *params[T]
	ta, tb            gonumblas.Transpose
	m, n, k           int
	alpha, beta       T
	a, b, c           []T
	lda, ldb, ldc     int
	byRows, byColumns func(lo, hi int)
}

const (
	// splitFrom is the number of multiplications from which a product is cut.
	splitFrom = 1 << 19
	// splitUnit is a multiple of the rows and columns that kernels work on.
	splitUnit = 16
)

func newProduct[T Float]() *product[T] {
	p := new(product[T])
	p.byRows = func(lo, hi int) {
		p.piece(hi-lo, p.n, p.a[step(p.ta == gonumblas.NoTrans, lo, p.lda):], p.b, p.c[lo*p.ldc:])
	}
	p.byColumns = func(lo, hi int) {
		p.piece(p.m, hi-lo, p.a, p.b[step(p.tb != gonumblas.NoTrans, lo, p.ldb):], p.c[lo:])
	}
	return p
}

// step is where row lo of a matrix starts, or its column lo.
func step(row bool, lo, ld int) int {
	if row {
		return lo * ld
	}
	return lo
}

// piece computes m×n elements of C.
func (p *product[T]) piece(m, n int, a, b, c []T) {
	args := p.pool.Get().(*params[T])
	gemm(p.fn, args, p.ta, p.tb, m, n, p.k, p.alpha, a, p.lda, b, p.ldb, p.beta, c, p.ldc)
	p.pool.Put(args)
}

// run computes the product, on all cores if split is set.
func (p *product[T]) run(split bool) {
	switch {
	case !split || float64(p.m)*float64(p.n)*float64(p.k) < splitFrom:
		p.piece(p.m, p.n, p.a, p.b, p.c)
	case p.m > p.n:
		par.For(p.m, share(p.m), p.byRows)
	default:
		par.For(p.n, share(p.n), p.byColumns)
	}
	p.a, p.b, p.c = nil, nil, nil
}

// share is the part of n rows or columns that one core takes.
func share(n int) int {
	cores := runtime.GOMAXPROCS(0)
	part := (n + cores - 1) / cores
	return (part + splitUnit - 1) / splitUnit * splitUnit
}
