package rule

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// moments are the arrays of a Kernel's state for one parameter, each of T or in 16 bits.
type moments[T apoops.Float] struct {
	single [][]T          // nil for those in 16 bits
	bits   []graph.Packed // without Bits for the others
}

// newMoments makes arrays of n zeros, of those in low in 16 bits.
func newMoments[T apoops.Float](n int, low []bool, p *precision.Precision) *moments[T] {
	m := &moments[T]{single: make([][]T, len(low)), bits: make([]graph.Packed, len(low))}
	for j, l := range low {
		if l {
			m.bits[j] = graph.Packed{Format: p.Format, Bits: make([]uint16, n), Scale: 1}
		} else {
			m.single[j] = make([]T, n)
		}
	}
	return m
}

// read sets part to the elements [lo, hi) of the arrays, those in 16 bits in room.
func (m *moments[T]) read(part [][]T, room [][elementBlock]T, lo, hi int) {
	for j, x := range m.single {
		if x != nil {
			part[j] = x[lo:hi]
			continue
		}
		part[j] = room[0][:hi-lo]
		room = room[1:]
		graph.Expand(part[j], m.bits[j], lo)
	}
}

// write rounds what became of the elements [lo, hi) to those arrays that are in 16 bits.
func (m *moments[T]) write(part [][]T, lo, hi int) {
	for j, b := range m.bits {
		if b.Bits != nil {
			half.Pack(b.Format, b.Bits[lo:hi], part[j])
		}
	}
}

// named is array j under a name.
func (m *moments[T]) named(j int, name string, shape tensor.Shape) checkpoint.NamedTensor {
	if b := m.bits[j]; b.Bits != nil {
		return checkpoint.NamedTensor{Name: name, Value: tensor.New(tensor.WithShape(shape.Clone()...), tensor.WithBacking(b.Bits)), Format: b.Format}
	}
	return checkpoint.NamedTensor{Name: name, Value: tensor.New(tensor.WithShape(shape.Clone()...), tensor.WithBacking(m.single[j]))}
}
