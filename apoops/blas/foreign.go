package blas

import (
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/pkg/errors"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
)

// foreign overrides gonum's hot methods with those of a shared library. It
// calls the Fortran interface (every argument is a pointer), because calls
// that pass floating-point values go through reflection and allocate.
// Fortran's matrices are column-major, so row-major operands are passed as
// their transposes, in exchanged order.
type foreign struct {
	gonum.Implementation
	sgemm, dgemm, ssyrk, dsyrk, sgemv, dgemv, sger, dger routine
	// split is true where each call works on one core.
	split bool
	// large is true where large products are the module's own.
	large bool
	decompositions
	lapack  bool   // the library has the decompositions
	version string // as the library reports it
	core    string // the kind of processor that it was told to work for, if it was
}

// routine is a function of the library.
type routine struct {
	address uintptr
	threads openmp.Threads
}

func openForeign(file string) (foreign, error) {
	lib, told, err := openSuited(file)
	if err != nil {
		return foreign{}, errors.Wrapf(err, "opening %s", file)
	}
	f := foreign{version: versionOf(lib), core: told}
	var threads openmp.Threads
	f.split, threads = single(lib)
	for name, fn := range map[string]*routine{
		"sgemm_": &f.sgemm, "dgemm_": &f.dgemm, "ssyrk_": &f.ssyrk, "dsyrk_": &f.dsyrk, "sgemv_": &f.sgemv, "dgemv_": &f.dgemv, "sger_": &f.sger, "dger_": &f.dger,
	} {
		fn.threads = threads
		if fn.address, err = symbol(lib, name); err != nil {
			return foreign{}, errors.Wrapf(err, "%s", file)
		}
	}
	f.decompositions, f.lapack = openDecompositions(lib, threads)
	return f, nil
}

// params keeps the arguments of one call on the heap, where the library can
// point to them. The operands are kept as pointers too, which makes their
// slices escape: a goroutine's stack may move while the library works.
type params[T Float] struct {
	transA, transB byte
	m, n, k        int32
	lda, ldb, ldc  int32
	alpha, beta    T
	a, b, c        *T
	args           [13]uintptr
	guard          openmp.Guard
}

// call passes the pointers on. The slice of arguments is the caller's own, or
// it would be allocated anew at each call.
func (p *params[T]) call(fn routine, args ...unsafe.Pointer) {
	for i, a := range args {
		p.args[i] = uintptr(a)
	}
	p.guard.Enter(fn.threads)
	purego.SyscallN(fn.address, p.args[:len(args)]...)
	p.guard.Leave(fn.threads)
	p.a, p.b, p.c = nil, nil, nil
}

var (
	pool32     = sync.Pool{New: func() any { return new(params[float32]) }}
	pool64     = sync.Pool{New: func() any { return new(params[float64]) }}
	products32 = sync.Pool{New: func() any { return newProduct[float32]() }}
	products64 = sync.Pool{New: func() any { return newProduct[float64]() }}
)

func letter(t gonumblas.Transpose) byte {
	if t == gonumblas.NoTrans {
		return 'N'
	}
	return 'T'
}

// fits panics, as gonum does, where a matrix does not fit its slice: a library
// would write beyond the end.
func fits[T Float](x []T, rows, cols, ld int, name string) {
	if ld < max(cols, 1) || (rows > 0 && cols > 0 && len(x) < (rows-1)*ld+cols) {
		panic("blas: " + name + " is too short for its shape")
	}
}

func foreignGemm[T Float](fn routine, p *params[T], ta, tb gonumblas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if m < 0 || n < 0 || k < 0 {
		panic("blas: negative dimension")
	}
	if ta == gonumblas.NoTrans {
		fits(a, m, k, lda, "A")
	} else {
		fits(a, k, m, lda, "A")
	}
	if tb == gonumblas.NoTrans {
		fits(b, k, n, ldb, "B")
	} else {
		fits(b, n, k, ldb, "B")
	}
	fits(c, m, n, ldc, "C")
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		scaleRows(beta, c, m, n, ldc)
		return
	}
	p.transA, p.transB = letter(tb), letter(ta)
	p.m, p.n, p.k = int32(n), int32(m), int32(k)
	p.lda, p.ldb, p.ldc = int32(ldb), int32(lda), int32(ldc)
	p.alpha, p.beta = alpha, beta
	p.a, p.b, p.c = &b[0], &a[0], &c[0]
	p.call(fn, unsafe.Pointer(&p.transA), unsafe.Pointer(&p.transB),
		unsafe.Pointer(&p.m), unsafe.Pointer(&p.n), unsafe.Pointer(&p.k),
		unsafe.Pointer(&p.alpha), unsafe.Pointer(p.a), unsafe.Pointer(&p.lda), unsafe.Pointer(p.b), unsafe.Pointer(&p.ldb),
		unsafe.Pointer(&p.beta), unsafe.Pointer(p.c), unsafe.Pointer(&p.ldc))
}

func scaleRows[T Float](beta T, c []T, m, n, ldc int) {
	for i := range m {
		row := c[i*ldc : i*ldc+n]
		for j := range row {
			if beta == 0 {
				row[j] = 0
			} else {
				row[j] *= beta
			}
		}
	}
}

// Sgemm computes C = α·op(A)·op(B) + β·C in float32.
func (f foreign) Sgemm(ta, tb gonumblas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	if f.large && isLarge(m, n, k) {
		own{}.Sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	multiply(&products32, &pool32, f.sgemm, f.split, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dgemm computes C = α·op(A)·op(B) + β·C in float64.
func (f foreign) Dgemm(ta, tb gonumblas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if f.large && isLarge(m, n, k) {
		own{}.Dgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	multiply(&products64, &pool64, f.dgemm, f.split, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func multiply[T Float](products, pool *sync.Pool, fn routine, split bool, ta, tb gonumblas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	p := products.Get().(*product[T])
	p.fn, p.pool, p.ta, p.tb, p.m, p.n, p.k, p.alpha, p.beta = fn, pool, ta, tb, m, n, k, alpha, beta
	p.a, p.lda, p.b, p.ldb, p.c, p.ldc = a, lda, b, ldb, c, ldc
	p.run(split)
	products.Put(p)
}
