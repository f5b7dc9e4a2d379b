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
	tried bool
	rows  *dnn.Rows[uint16] // nil where there is none
	n     int               // columns of C
	body  func(lo, hi int, c []float32)

	// Of the running call.
	bias []float32 // a row, nil for none
	act  vmath.Activation
	c    []uint16
}

// Compile makes the product of these layouts in its first call. It is false where the
// processor, the library or the sizes allow none.
func (p *Product) Compile(a, b dnn.Matrix) bool {
	if p.tried {
		return p.rows != nil
	}
	p.tried = true
	rows, err := dnn.NewRows[uint16](a, b)
	if err != nil {
		return false
	}
	p.rows, p.n = rows, b.Cols
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
	err := p.rows.Run(a, b, p.body)
	if p.bias != nil {
		scratch.Put(p.bias)
	}
	p.bias, p.c = nil, nil
	return err
}

// finish makes the rows [lo, hi) of C from those of A·B.
func (p *Product) finish(lo, hi int, c []float32) {
	if p.bias != nil {
		for i := 0; i < len(c); i += p.n {
			row := c[i : i+p.n]
			simd.Add(row, row, p.bias)
		}
	}
	vmath.Forward(p.act, c)
	half.Pack(half.BFloat16, p.c[lo*p.n:hi*p.n], c)
}

// Close gives the library's objects back.
func (p *Product) Close() {
	if p.rows != nil {
		p.rows.Close()
	}
	p.rows = nil
}
