package blas

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
)

// decompositions are the addresses of LAPACK's routines; the Fortran interface
// passes the lengths of strings behind the arguments.
type decompositions struct{ ssyevd, dsyevd, dpotrf, dpotri routine }

// openDecompositions finds them; ok is false if the library has none, as a BLAS may
// not.
func openDecompositions(lib uintptr, threads openmp.Threads) (d decompositions, ok bool) {
	for name, fn := range map[string]*routine{"ssyevd_": &d.ssyevd, "dsyevd_": &d.dsyevd, "dpotrf_": &d.dpotrf, "dpotri_": &d.dpotri} {
		var err error
		fn.threads = threads
		if fn.address, err = symbol(lib, name); err != nil {
			return decompositions{}, false
		}
	}
	return d, true
}

// symmetric keeps the arguments of one decomposition on the heap, as params does. It
// must come from a pool: the compiler does not know that the library uses the
// addresses after their conversion to numbers. It would put a new value on the stack,
// which may move during the call.
type symmetric[T Float] struct {
	job, triangle       byte
	n, info             int32
	lwork, liwork       int32
	a, w, work          *T
	iwork               *int32
	query               [1]T
	iquery              [1]int32
	workspace           []T
	iworkspace          []int32
	matrix, eigenvalues []T
	guard               openmp.Guard
}

var (
	symmetric32 = sync.Pool{New: func() any { return new(symmetric[float32]) }}
	symmetric64 = sync.Pool{New: func() any { return new(symmetric[float64]) }}
)

// newSymmetric returns arguments on the heap for a matrix a.
func newSymmetric[T Float](triangle byte, n int, a []T) *symmetric[T] {
	p := Pick[T](&symmetric32, &symmetric64).Get().(*symmetric[T])
	*p = symmetric[T]{job: 'V', triangle: triangle, n: int32(n), matrix: a, a: &a[0]}
	return p
}

// done gives the arguments back.
func (p *symmetric[T]) done() {
	*p = symmetric[T]{}
	Pick[T](&symmetric32, &symmetric64).Put(p)
}

func foreignEigen[T Float](l foreign, n int, a, w []T) error {
	fn := Pick[T](l.ssyevd, l.dsyevd)
	// Fortran's upper triangle is the lower one by rows; its eigenvectors, columns
	// there, are rows here.
	p := newSymmetric('U', n, a)
	defer p.done()
	p.lwork, p.liwork, p.eigenvalues = -1, -1, w
	p.w, p.work, p.iwork = &w[0], &p.query[0], &p.iquery[0]
	p.eigen(fn)
	if p.info == 0 {
		// In float32 a large size may have been rounded down.
		p.lwork, p.liwork = int32(float64(p.query[0])*(1+1e-6))+1, p.iquery[0]
		p.workspace, p.iworkspace = make([]T, p.lwork), make([]int32, p.liwork)
		p.work, p.iwork = &p.workspace[0], &p.iworkspace[0]
		p.eigen(fn)
	}
	if p.info != 0 {
		return errors.Errorf("blas: the eigenvalues do not converge (syevd: %d)", p.info)
	}
	return nil
}

func (p *symmetric[T]) eigen(fn routine) {
	p.guard.Enter(fn.threads)
	purego.SyscallN(fn.address, address(&p.job), address(&p.triangle), address(&p.n), address(p.a), address(&p.n), address(p.w),
		address(p.work), address(&p.lwork), address(p.iwork), address(&p.liwork), address(&p.info), 1, 1)
	p.guard.Leave(fn.threads)
	runtime.KeepAlive(p)
}

func foreignInverse(l foreign, n int, a []float64) bool {
	p := newSymmetric('L', n, a) // the upper triangle by rows
	defer p.done()
	for _, fn := range []routine{l.dpotrf, l.dpotri} {
		p.guard.Enter(fn.threads)
		purego.SyscallN(fn.address, address(&p.triangle), address(&p.n), address(p.a), address(&p.n), address(&p.info), 1)
		p.guard.Leave(fn.threads)
		runtime.KeepAlive(p)
		if p.info != 0 {
			return false
		}
	}
	return true
}

func address[V any](p *V) uintptr { return uintptr(unsafe.Pointer(p)) }

// foreignSyrk computes the lower triangle of Syrk's C.
func foreignSyrk[T Float](f foreign, trans bool, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int) {
	pool := Pick[T](&pool32, &pool64)
	p := pool.Get().(*params[T])
	// The lower triangle by rows is Fortran's upper one; A by rows is Fortran's Aᵀ.
	p.transA, p.transB = 'U', 'T'
	if trans {
		p.transB = 'N'
	}
	p.n, p.k, p.lda, p.ldc, p.alpha, p.beta = int32(n), int32(k), int32(lda), int32(ldc), alpha, beta
	p.a, p.c = &a[0], &c[0]
	p.call(Pick[T](f.ssyrk, f.dsyrk), unsafe.Pointer(&p.transA), unsafe.Pointer(&p.transB), unsafe.Pointer(&p.n), unsafe.Pointer(&p.k),
		unsafe.Pointer(&p.alpha), unsafe.Pointer(p.a), unsafe.Pointer(&p.lda),
		unsafe.Pointer(&p.beta), unsafe.Pointer(p.c), unsafe.Pointer(&p.ldc))
	pool.Put(p)
}
