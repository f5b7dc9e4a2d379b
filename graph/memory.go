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
func (p *program) shareMemory() error {
	order := p.order
	if order == nil || !sharing {
		return nil
	}
	lives := lifetimes(order, p.values)
	p.arena.mu.Lock()
	defer p.arena.mu.Unlock()
	single, double, packed := layoutOf[float32](order, lives), layoutOf[float64](order, lives), layoutOf[uint16](order, lives)
	p.layouts = []any{single, double, packed}
	p.singleResults, p.doubleResults, p.packedResults = resultsOf[float32](order, lives), resultsOf[float64](order, lives), resultsOf[uint16](order, lives)
	if err := p.arena.single.join(single); err != nil {
		return err
	}
	if err := p.arena.double.join(double); err != nil {
		return err
	}
	return p.arena.packed.join(packed)
}

// layoutOf has all results of type T that do not outlive a run.
func layoutOf[T apoops.Element](order gorgonia.Nodes, lives map[*gorgonia.Node]lifetime) *layout[T] {
	l := new(layout[T])
	for _, n := range order {
		if life := lives[n]; life.to < len(order) && l.add(n, life) {
			l.nodes = append(l.nodes, n)
		}
	}
	return l
}

// add adds the result of a node if it is of type T and has memory.
func (l *layout[T]) add(n *gorgonia.Node, life lifetime) bool {
	op, ok := apoops.BufferOf[T](n.Op())
	if !ok || op.BufferSize() == 0 {
		return false
	}
	unit := alignment / int(unsafe.Sizeof(T(0)))
	l.ops = append(l.ops, op)
	l.places = append(l.places, place{lifetime: life, size: (op.BufferSize() + unit - 1) / unit * unit})
	return true
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
	if err := with.double.join(p.doubleResults); err != nil {
		return err
	}
	return with.packed.join(p.packedResults)
}

// results is the memory of what programs of one kind leave behind.
type results struct {
	single block[float32]
	double block[float64]
	packed block[uint16]
}

// resultsOf has the results of type T that outlive a run, all at one time.
func resultsOf[T apoops.Element](order gorgonia.Nodes, lives map[*gorgonia.Node]lifetime) *layout[T] {
	l := new(layout[T])
	for _, n := range order {
		if lives[n].to == len(order) {
			l.add(n, lifetime{})
		}
	}
	return l
}

// place is where a result lies during its lifetime, in elements.
type place struct {
	lifetime
	size, at int
}

// arrange finds a position for each place, the largest first, each the lowest that
// is free during its lifetime and has no seam within. It returns the size of the whole.
func arrange(places []place, seams []int) (whole int) {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(places[j].size, places[i].size) })
	var placed []*place // by position
	for _, i := range order {
		p := &places[i]
		p.at = 0
		p.passSeams(seams)
		for _, q := range placed {
			if !p.meets(q.lifetime) {
				continue
			}
			if p.at+p.size <= q.at {
				break
			}
			p.at = max(p.at, q.at+q.size)
			p.passSeams(seams)
		}
		to, _ := slices.BinarySearchFunc(placed, p.at, func(q *place, at int) int { return cmp.Compare(q.at, at) })
		placed = slices.Insert(placed, to, p)
		whole = max(whole, p.at+p.size)
	}
	return whole
}

// passSeams moves the place behind the seams, which rise, that it lies across.
func (p *place) passSeams(seams []int) {
	for _, s := range seams {
		if p.at < s && s < p.at+p.size {
			p.at = s
		}
	}
}
