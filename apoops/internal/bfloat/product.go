package bfloat

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// Product computes C = act(A·B + bias), always of the same layouts. The zero value is to
// be compiled. It must not be used by two goroutines at once.
type Product struct {
	tried  bool
	pieces *dnn.Pieces[uint16] // nil where there is none
	n      int                 // columns of C
	body   func(piece dnn.Piece)

	// Of the running call.
	bias []float32 // a row, nil for none
	act  vmath.Activation
	c    []uint16
}

// Compile makes the product of these layouts in its first call. It is false where the
// processor, the library or the sizes allow none.
func (p *Product) Compile(a, b dnn.Matrix) bool {
	if p.tried {
		return p.pieces != nil
	}
	p.tried = true
	pieces, err := dnn.NewPieces[uint16](a, b)
	if err != nil {
		return false
	}
	p.pieces, p.n = pieces, b.Cols
	if b.Transposed {
		p.n = b.Rows
	}
	p.body = p.finish
	return true
}

// Run computes the rows of C, one behind the other. bias has an element for each column,
// or none.
func (p *Product) Run(a, b, bias []uint16, act vmath.Activation, c []uint16) error {
	p.act, p.c = act, c
	if len(bias) > 0 {
		p.bias = scratch.Get[float32](len(bias))
		half.Expand(half.BFloat16, p.bias, bias)
	}
	err := p.pieces.Run(a, b, p.body)
	if p.bias != nil {
		scratch.Put(p.bias)
	}
	p.bias, p.c = nil, nil
	return err
}

// finish makes a piece of C from that of A·B.
func (p *Product) finish(piece dnn.Piece) {
	lo, hi := piece.Cols[0], piece.Cols[1]
	width := hi - lo
	if p.bias != nil {
		for i := 0; i < len(piece.C); i += width {
			row := piece.C[i : i+width]
			simd.Add(row, row, p.bias[lo:hi])
		}
	}
	vmath.Forward(p.act, piece.C)
	if width == p.n {
		half.Pack(half.BFloat16, p.c[piece.Rows[0]*p.n:piece.Rows[1]*p.n], piece.C)
		return
	}
	for i := range len(piece.C) / width {
		at := (piece.Rows[0]+i)*p.n + lo
		half.Pack(half.BFloat16, p.c[at:at+width], piece.C[i*width:(i+1)*width])
	}
}

// Close gives the library's objects back.
func (p *Product) Close() {
	if p.pieces != nil {
		p.pieces.Close()
	}
	p.pieces = nil
}
