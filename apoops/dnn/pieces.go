package dnn

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/par"
)

const (
	// piecesFrom is the number of multiplications from which a product is cut.
	piecesFrom = 1 << 19
	// fewestPieces keeps two cores and four cores equally busy.
	fewestPieces = 4
	// fewestRows and fewestColumns are the least sizes of a piece: each one of rows copies
	// B anew, each one of columns reads A anew.
	fewestRows    = 32
	fewestColumns = 64
	// pieceElements is about the number of elements of C that stay in a core's cache.
	pieceElements = 1 << 18
	// pieceUnit is a multiple of what kernels work on.
	pieceUnit = 16
)

// Pieces computes C = A·B in float32 in pieces of rows or of columns, on all cores, and
// hands on each piece while it is in a core's cache: C is never there as a whole. The
// pieces follow from the layouts alone, so bits do not depend on the number of cores. It
// must not be used by two goroutines at once.
type Pieces[In Element] struct {
	columns    bool // pieces are of columns
	m, n       int  // size of C
	length     int  // rows or columns of a piece
	stride     int  // elements of A or B from one of them to the next
	main, tail *Product[In, float32]
	body       func(lo, hi int)

	// Of the running call.
	a, b    []In
	done    func(p Piece)
	mu      sync.Mutex
	failure error
}

// Piece is a part of C, from the first row and column to those behind the last.
type Piece struct {
	Rows, Cols [2]int
	C          []float32 // rows one behind the other
}

// NewPieces compiles a product of these layouts; its errors are those of NewProduct.
func NewPieces[In Element](a, b Matrix) (*Pieces[In], error) {
	m, k := a.size()
	_, n := b.size()
	p := &Pieces[In]{m: m, n: n}
	if p.length, p.columns = cutProduct(m, n, k, a.Transposed); p.columns {
		p.stride = between(b.Transposed, b)
	} else {
		p.stride = between(!a.Transposed, a)
	}
	var err error
	if p.main, err = newPiece[In](a, b, p.columns, min(p.length, p.all())); err != nil {
		return nil, err
	}
	if rest := p.all() % p.length; rest != 0 && p.all() > p.length {
		if p.tail, err = newPiece[In](a, b, p.columns, rest); err != nil {
			p.main.Close()
			return nil, err
		}
	}
	p.body = p.each
	return p, nil
}

// between is the number of elements from one row or column of a matrix to the next.
func between(rows bool, m Matrix) int {
	if rows {
		return m.Stride
	}
	return 1
}

// cutProduct cuts a product of m×k and k×n into pieces of length rows, or of length columns.
// Kernels copy B, and an A that is turned, to a layout of their own: each piece of rows copies
// all of B. Each piece of columns reads all of A where it lies, about four times as fast as a
// copy; they are never of an A that is turned.
func cutProduct(m, n, k int, turned bool) (length int, columns bool) {
	if float64(m)*float64(n)*float64(k) < piecesFrom {
		return max(m, 1), false
	}
	rows, cols := pieceLength(m, n, fewestRows), pieceLength(n, m, fewestColumns)
	copied, read := (m+rows-1)/rows*n, (n+cols-1)/cols*m
	if !turned && read < 4*copied && n >= 2*fewestColumns {
		return cols, true
	}
	return rows, false
}

// pieceLength is that of pieces of n, which have other elements for each of them.
func pieceLength(n, other, fewest int) int {
	length := min((n+fewestPieces-1)/fewestPieces, pieceElements/other)
	return (max(length, fewest) + pieceUnit - 1) / pieceUnit * pieceUnit
}

// newPiece compiles the product for so many rows or columns.
func newPiece[In Element](a, b Matrix, columns bool, length int) (*Product[In, float32], error) {
	switch {
	case !columns && a.Transposed:
		a.Cols = length
	case !columns:
		a.Rows = length
	case b.Transposed:
		b.Rows = length
	default:
		b.Cols = length
	}
	m, _ := a.size()
	_, n := b.size()
	return NewProduct[In, float32](a, b, Matrix{Rows: m, Cols: n, Stride: n}, false)
}

// all is the number of rows or columns.
func (p *Pieces[In]) all() int {
	if p.columns {
		return p.n
	}
	return p.m
}

// Run computes the product. It calls done with each piece, which is valid until done
// returns. Several pieces may be done at once.
func (p *Pieces[In]) Run(a, b []In, done func(p Piece)) error {
	p.a, p.b, p.done, p.failure = a, b, done, nil
	par.For((p.all()+p.length-1)/p.length, 1, p.body)
	p.a, p.b, p.done = nil, nil, nil
	return p.failure
}

// each computes the pieces [first, last).
func (p *Pieces[In]) each(first, last int) {
	block := borrow(bytes[float32](p.length * (p.m * p.n / p.all())))
	defer giveBack(block)
	for i := first; i < last; i++ {
		lo := i * p.length
		hi := min(lo+p.length, p.all())
		product := p.main
		if p.tail != nil && hi == p.all() {
			product = p.tail
		}
		a, b, piece := p.a, p.b, Piece{Rows: [2]int{0, p.m}, Cols: [2]int{0, p.n}}
		if p.columns {
			b, piece.Cols = b[min(lo*p.stride, len(b)):], [2]int{lo, hi}
		} else {
			a, piece.Rows = a[min(lo*p.stride, len(a)):], [2]int{lo, hi}
		}
		piece.C = elements[float32](block)[:(hi-lo)*(p.m*p.n/p.all())]
		if err := product.Run(a, b, piece.C); err != nil {
			p.mu.Lock()
			p.failure = err
			p.mu.Unlock()
			return
		}
		p.done(piece)
	}
}

// Close gives the library's objects back.
func (p *Pieces[In]) Close() {
	p.main.Close()
	if p.tail != nil {
		p.tail.Close()
	}
}
