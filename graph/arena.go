package graph

import (
	"sync"
	"weak"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// arena is the memory of the programs over one set of weights: the graphs of J_B(θ), of
// the proximal objective, of curvature, of probes and of evaluations. It is as large as
// the largest of them needs, for one runs at a time.
type arena struct {
	mu     sync.Mutex // held while a program runs
	single block[float32]
	double block[float64]
	packed block[uint16]
}

// arenas are those in use, by the memory of the first parameter. Programs alone keep
// them.
var arenas = struct {
	sync.Mutex
	of map[weak.Pointer[tensor.Dense]]weak.Pointer[arena]
}{of: make(map[weak.Pointer[tensor.Dense]]weak.Pointer[arena])}

func arenaOf(params []*Param) *arena {
	if len(params) == 0 {
		return new(arena)
	}
	arenas.Lock()
	defer arenas.Unlock()
	key := weak.Make(params[0].Value)
	if a := arenas.of[key].Value(); a != nil {
		return a
	}
	for k, a := range arenas.of {
		if a.Value() == nil {
			delete(arenas.of, k)
		}
	}
	a := new(arena)
	arenas.of[key] = weak.Make(a)
	return a
}

// block is the part of an arena for results of type T, and the layouts of the programs
// that are still there. It grows by a piece: what is there stays, or it would be there
// twice until the garbage collector frees it.
type block[T apoops.Element] struct {
	pieces [][]T
	users  []weak.Pointer[layout[T]]
}

// layout has the ops of a program whose results lie in a block.
type layout[T apoops.Element] struct {
	ops    []apoops.BufferSetter[T]
	places []place // by op
	// nodes are those whose values may lie in the block after a run, where they are not
	// needed any more.
	nodes gorgonia.Nodes
}

// join gives the ops of l their parts of the block. Where that is too small it grows. A
// result lies in one piece: where more than an eighth would be lost to that, one larger
// piece takes the place of all.
func (b *block[T]) join(l *layout[T]) error {
	alone := arrange(l.places, nil)
	if alone == 0 {
		return nil
	}
	others := b.living()
	b.users = append(b.users, weak.Make(l))
	seams := b.seams()
	there := seams[len(seams)-1]
	switch size := arrange(l.places, seams); {
	case size <= there:
		return l.lieIn(b.pieces)
	case size <= alone+alone/8:
		b.pieces = append(b.pieces, make([]T, size-there))
		return l.lieIn(b.pieces)
	}
	return b.replace(l, others)
}

// living are the layouts that are still there. The others are forgotten.
func (b *block[T]) living() (all []*layout[T]) {
	var users []weak.Pointer[layout[T]]
	for _, u := range b.users {
		if l := u.Value(); l != nil {
			users, all = append(users, u), append(all, l)
		}
	}
	b.users = users
	return all
}

// seams are the ends of the pieces, each the beginning of the next, behind a 0.
func (b *block[T]) seams() []int {
	ends := []int{0}
	for _, p := range b.pieces {
		ends = append(ends, ends[len(ends)-1]+len(p))
	}
	return ends
}

// replace makes one piece for l and the others.
func (b *block[T]) replace(l *layout[T], others []*layout[T]) error {
	size := arrange(l.places, nil)
	for _, o := range others {
		size = max(size, arrange(o.places, nil))
	}
	b.pieces = [][]T{make([]T, size)}
	for _, o := range others {
		if err := o.lieIn(b.pieces); err != nil {
			return err
		}
		if err := o.forget(); err != nil {
			return err
		}
	}
	return l.lieIn(b.pieces)
}

// forget has the nodes give up their values, which would keep the old memory until the
// next run.
func (l *layout[T]) forget() error {
	for _, n := range l.nodes {
		if n.Value() == nil {
			continue
		}
		zero, err := apoops.Choose[any](n.Dtype(), float32(0), 0.0)
		if err == nil {
			err = gorgonia.UnsafeLet(n, zero) // there is no way to unbind one
		}
		if err != nil {
			return errors.Wrap(err, "graph: sharing memory")
		}
	}
	return nil
}

// lieIn has the ops write to their places in the pieces.
func (l *layout[T]) lieIn(pieces [][]T) error {
	for i, op := range l.ops {
		at, piece := l.places[i].at, 0
		for at >= len(pieces[piece]) {
			at -= len(pieces[piece])
			piece++
		}
		if err := op.SetBuffer(pieces[piece][at:][:op.BufferSize()]); err != nil {
			return errors.Wrap(err, "graph: sharing memory")
		}
	}
	return nil
}
