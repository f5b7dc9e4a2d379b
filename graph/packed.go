package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Packed is an array in 16 bits: numbers of Format, each to be divided by Scale, a power of
// two.
type Packed struct {
	Format apoops.Format
	Bits   []uint16
	Scale  float64
}

// Expand sets dst to the numbers of p from the given one on.
func Expand[T apoops.Float](dst []T, p Packed, from int) {
	half.Expand(p.Format, dst, p.Bits[from:from+len(dst)])
	if p.Scale == 1 {
		return
	}
	factor := 1 / T(p.Scale)
	for i := range dst {
		dst[i] *= factor
	}
}

// packs reports whether a gradient is handed out as the graph keeps it, in 16 bits.
func (b *Base) packs(n *gorgonia.Node) bool {
	_, ok := n.Op().(apoops.Rounder)
	return ok && b.storage.Low && !b.storage.Emulated && b.group == nil && !n.IsScalar()
}

// PackedGrads are the gradients of the last run in 16 bits, as the graph keeps them: those
// of Grads, without arrays of float32. They are valid until the next run. It is nil where
// one of them is kept in another way.
func (b *Base) PackedGrads() []Packed {
	if b.rows != nil || !b.storage.Low {
		return nil
	}
	if b.inBits == nil {
		b.inBits = make([]Packed, len(b.handed))
	}
	for i, n := range b.handed {
		v, ok := n.Value().(*tensor.Dense)
		if !ok || v.Dtype() != tensor.Uint16 {
			return nil
		}
		b.inBits[i] = Packed{b.storage.Format, v.Uint16s(), b.scaleBy}
	}
	return b.inBits
}

// handedOut is the value of gradient i in float32, unscaled.
func (b *Base) handedOut(i int) (*tensor.Dense, error) {
	values, err := denseValues(b.handed[i : i+1])
	if err != nil {
		return nil, err
	}
	v := values[0]
	if !b.raw[i] || v.Dtype() != tensor.Uint16 && b.scaleBy == 1 {
		return v, nil
	}
	b.keepForm(i)
	y := b.formed[i].Float32s()
	if v.Dtype() == tensor.Uint16 {
		p := Packed{b.storage.Format, v.Uint16s(), b.scaleBy}
		par.For(len(y), par.Grain, func(lo, hi int) { Expand(y[lo:hi], p, lo) })
		return b.formed[i], nil
	}
	factor := 1 / float32(b.scaleBy)
	for k, x := range v.Float32s() {
		y[k] = x * factor
	}
	return b.formed[i], nil
}

// keepForm makes the array of gradient i where there is none.
func (b *Base) keepForm(i int) {
	if b.formed == nil {
		b.formed = make([]*tensor.Dense, len(b.grads))
	}
	if b.formed[i] == nil {
		b.formed[i] = tensor.New(tensor.WithShape(b.grads[i].Shape().Clone()...), tensor.Of(b.dt))
	}
}
