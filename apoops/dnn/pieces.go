package dnn

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/par"
)

const (
	// rowsFrom is the number of multiplications from which a product is cut.
	rowsFrom = 1 << 19
	// fewestPieces keeps two cores and four cores equally busy.
	fewestPieces = 4
	// fewestRows is the least length of a piece: each copies B anew.
	fewestRows = 32
	// pieceElements is about the number of elements of C that stay in a core's cache.
	pieceElements = 1 << 18
	// rowUnit is a multiple of what kernels work on.
	rowUnit = 16
)

// Rows computes C = A·B in float32 in pieces of rows, on all cores, and hands on each
// piece while it is in a core's cache: C is never there as a whole. The pieces follow
// from the shapes alone, so bits do not depend on the number of cores. It must not be
// used by two goroutines at once.
type Rows[In Element] struct {
	m, n       int // size of C
	length     int // rows of a piece
	stride     int // elements of A from one row to the next
	main, tail *Product[In, float32]
	body       func(lo, hi int)

	// Of the running call.
	a, b    []In
	done    func(lo, hi int, c []float32)
	mu      sync.Mutex
	failure error
}

// NewRows compiles a product of these layouts; its errors are those of NewProduct.
func NewRows[In Element](a, b Matrix) (*Rows[In], error) {
	m, k := a.size()
	_, n := b.size()
	r := &Rows[In]{m: m, n: n, length: pieceRows(m, n, k), stride: a.Stride}
	if a.Transposed {
		r.stride = 1
	}
	var err error
	if r.main, err = newPiece[In](a, b, min(r.length, m), n); err != nil {
		return nil, err
	}
	if rest := m % r.length; rest != 0 && m > r.length {
		if r.tail, err = newPiece[In](a, b, rest, n); err != nil {
			r.main.Close()
			return nil, err
		}
	}
	r.body = r.pieces
	return r, nil
}

// pieceRows is the length of the pieces of a product of m×k and k×n.
func pieceRows(m, n, k int) int {
	if float64(m)*float64(n)*float64(k) < rowsFrom {
		return max(m, 1)
	}
	length := min((m+fewestPieces-1)/fewestPieces, pieceElements/n)
	return (max(length, fewestRows) + rowUnit - 1) / rowUnit * rowUnit
}

func newPiece[In Element](a, b Matrix, rows, n int) (*Product[In, float32], error) {
	if a.Transposed {
		a.Cols = rows
	} else {
		a.Rows = rows
	}
	return NewProduct[In, float32](a, b, Matrix{Rows: rows, Cols: n, Stride: n}, false)
}

// Run computes the product. It calls done with each piece, the rows [lo, hi) of C one
// behind the other in c, which is valid until done returns. Several pieces may be done
// at once.
func (r *Rows[In]) Run(a, b []In, done func(lo, hi int, c []float32)) error {
	r.a, r.b, r.done, r.failure = a, b, done, nil
	par.For((r.m+r.length-1)/r.length, 1, r.body)
	r.a, r.b, r.done = nil, nil, nil
	return r.failure
}

func (r *Rows[In]) pieces(first, last int) {
	block := borrow(bytes[float32](r.length * r.n))
	defer giveBack(block)
	for i := first; i < last; i++ {
		lo := i * r.length
		hi := min(lo+r.length, r.m)
		p := r.main
		if r.tail != nil && hi == r.m {
			p = r.tail
		}
		c := elements[float32](block)[:(hi-lo)*r.n]
		a := r.a[min(lo*r.stride, len(r.a)):]
		if err := p.Run(a, r.b, c); err != nil {
			r.mu.Lock()
			r.failure = err
			r.mu.Unlock()
			return
		}
		r.done(lo, hi, c)
	}
}

// Close gives the library's objects back.
func (r *Rows[In]) Close() {
	r.main.Close()
	if r.tail != nil {
		r.tail.Close()
	}
}
