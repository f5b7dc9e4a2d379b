package graph

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// sharing lets the ops of a program share memory. Tests turn it off.
var sharing = true

// alignment of shared memory in bytes: that of a cache line.
const alignment = 64

// shareMemory lets results of ops of package apoops share memory: two may lie in one
// place if the first is not needed any more when the second is computed. The values,
// which are read after a run, keep memory of their own.
func (p *program) shareMemory(program any, g *gorgonia.ExprGraph) error {
	order, ok := executionOrder(program, g)
	if !ok || !sharing {
		return nil
	}
	lives := lifetimes(order, p.values)
	if err := setBuffers[float32](order, lives); err != nil {
		return err
	}
	return setBuffers[float64](order, lives)
}

// setBuffers makes one block of memory for all results of type T that do not outlive a
// run, and gives their ops parts of it.
func setBuffers[T apoops.Float](order gorgonia.Nodes, lives map[*gorgonia.Node]lifetime) error {
	var ops []apoops.BufferSetter[T]
	var places []place
	size := alignment / int(unsafe.Sizeof(T(0)))
	for _, n := range order {
		op, ok := n.Op().(apoops.BufferSetter[T])
		if !ok || op.BufferSize() == 0 || lives[n].to == len(order) {
			continue
		}
		ops = append(ops, op)
		places = append(places, place{lifetime: lives[n], size: (op.BufferSize() + size - 1) / size})
	}
	block := make([]T, arrange(places)*size)
	for i, op := range ops {
		if err := op.SetBuffer(block[places[i].at*size:][:op.BufferSize()]); err != nil {
			return errors.Wrap(err, "graph: sharing memory")
		}
	}
	return nil
}

// place is where a result lies during its lifetime, in units of alignment.
type place struct {
	lifetime
	size, at int
}

// arrange finds a position for each place, the largest first, each the lowest that
// is free during its lifetime. It returns the size of the whole.
func arrange(places []place) (whole int) {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(places[j].size, places[i].size) })
	var placed []*place // by position
	for _, i := range order {
		p := &places[i]
		for _, q := range placed {
			if !p.meets(q.lifetime) {
				continue
			}
			if p.at+p.size <= q.at {
				break
			}
			p.at = max(p.at, q.at+q.size)
		}
		to, _ := slices.BinarySearchFunc(placed, p.at, func(q *place, at int) int { return cmp.Compare(q.at, at) })
		placed = slices.Insert(placed, to, p)
		whole = max(whole, p.at+p.size)
	}
	return whole
}
