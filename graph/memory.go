package graph

import (
	"cmp"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// sharing lets the ops of a program share memory. Tests turn it off.
var sharing = true

// alignment of shared memory in bytes: that of a cache line.
const alignment = 64

// shareMemory lets results of ops of package apoops share memory: two may lie in one
// place if the first is not needed any more when the second is computed. The values,
// which are read after a run, keep memory of their own. So nothing in the shared memory
// is needed after a run, and programs over the same weights, which run one after the
// other, share it too.
func (p *program) shareMemory(program any, g *gorgonia.ExprGraph) error {
	order, ok := executionOrder(program, g)
	if !ok || !sharing {
		return nil
	}
	lives := lifetimes(order, p.values)
	p.arena.mu.Lock()
	defer p.arena.mu.Unlock()
	single, double, packed := layoutOf[float32](order, lives), layoutOf[float64](order, lives), layoutOf[uint16](order, lives)
	p.layouts = []any{single, double, packed}
	p.singleResults, p.doubleResults = resultsOf[float32](order, lives), resultsOf[float64](order, lives)
	if err := p.arena.single.join(single); err != nil {
		return err
	}
	if err := p.arena.double.join(double); err != nil {
		return err
	}
	return p.arena.packed.join(packed)
}

// layoutOf arranges all results of type T that do not outlive a run.
func layoutOf[T apoops.Element](order gorgonia.Nodes, lives map[*gorgonia.Node]lifetime) *layout[T] {
	var places []place
	l := new(layout[T])
	unit := alignment / int(unsafe.Sizeof(T(0)))
	for _, n := range order {
		op, ok := apoops.BufferOf[T](n.Op())
		if !ok || op.BufferSize() == 0 || lives[n].to == len(order) {
			continue
		}
		l.ops, l.nodes = append(l.ops, op), append(l.nodes, n)
		places = append(places, place{lifetime: lives[n], size: (op.BufferSize() + unit - 1) / unit})
	}
	l.size = arrange(places) * unit
	for _, p := range places {
		l.at = append(l.at, p.at*unit)
	}
	return l
}

// shareResults puts the results that outlive a run into memory that another program
// takes for its own, those of one kind over the same weights: a run of any of them
// overwrites the results of the others.
func (p *program) shareResults(with *results) error {
	if p.singleResults == nil {
		return nil
	}
	p.arena.mu.Lock()
	defer p.arena.mu.Unlock()
	if err := with.single.join(p.singleResults); err != nil {
		return err
	}
	return with.double.join(p.doubleResults)
}

// results is the memory of what programs of one kind leave behind.
type results struct {
	single block[float32]
	double block[float64]
}

// resultsOf arranges the results of type T that outlive a run, one behind the other.
func resultsOf[T apoops.Element](order gorgonia.Nodes, lives map[*gorgonia.Node]lifetime) *layout[T] {
	l := new(layout[T])
	unit := alignment / int(unsafe.Sizeof(T(0)))
	for _, n := range order {
		op, ok := apoops.BufferOf[T](n.Op())
		if !ok || op.BufferSize() == 0 || lives[n].to != len(order) {
			continue
		}
		l.ops, l.at = append(l.ops, op), append(l.at, l.size)
		l.size += (op.BufferSize() + unit - 1) / unit * unit
	}
	return l
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
