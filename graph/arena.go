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
// that are still there.
type block[T apoops.Element] struct {
	memory []T
	users  []weak.Pointer[layout[T]]
}

// layout has the ops of a program whose results lie in a block, from at[i] on.
type layout[T apoops.Element] struct {
	ops []apoops.BufferSetter[T]
	// nodes are those whose values may lie in the block after a run, where they are not
	// needed any more.
	nodes gorgonia.Nodes
	at    []int
	size  int
}

// join gives the ops of l their parts of the block. Where that is too small a larger
// one takes its place for all programs.
func (b *block[T]) join(l *layout[T]) error {
	if l.size == 0 {
		return nil
	}
	var users []weak.Pointer[layout[T]]
	move := []*layout[T]{l}
	for _, u := range b.users {
		if other := u.Value(); other != nil {
			users = append(users, u)
			move = append(move, other)
		}
	}
	b.users = append(users, weak.Make(l))
	if l.size <= len(b.memory) {
		move = move[:1]
	} else {
		b.memory = make([]T, l.size)
	}
	for i, m := range move {
		if err := m.lieIn(b.memory); err != nil {
			return err
		}
		if i > 0 {
			if err := m.forget(); err != nil {
				return err
			}
		}
	}
	return nil
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

func (l *layout[T]) lieIn(memory []T) error {
	for i, op := range l.ops {
		if err := op.SetBuffer(memory[l.at[i]:][:op.BufferSize()]); err != nil {
			return errors.Wrap(err, "graph: sharing memory")
		}
	}
	return nil
}
