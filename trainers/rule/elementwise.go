package rule

import (
	"sync"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// elementwise runs a Kernel over all parameters, on all cores, in one
// pass over memory: direction and weights are done block by block, so that the
// block is still in the cache. With and without an explicit direction the same
// operations happen in the same order, and so give the same bits.
//
// Moments of 16 bits, and the gradient where it is in 16 bits, are expanded block by block,
// and the moments rounded behind the kernel. Weights of 16 bits are rounded where they are
// moved in the same pass.
type elementwise[T apoops.Float] struct {
	Base
	Decayed
	k         Kernel[T]
	params    []*graph.Param
	names     []string
	m         []*moments[T] // by parameter
	wide      int           // how many moments are in 16 bits
	precision *precision.Precision
	rounders  []precision.Rounder // by parameter
	bounds    array.Bounds[T]
	norm      array.PackedNorm
	moves     float64               // Reach
	search    *elementLineSearch[T] // nil for a kernel without
	tuning    *elementTuning[T]     // nil for a kernel without

	// The parameter that a step is at.
	w, g, d []T // g is nil for a gradient in 16 bits, d where the direction needs no array of its own
	seen    decayView[T]
	zeros   []T // of decayView
	bits    graph.Packed
	rounded []float32 // w where it is to be rounded
	at      int
	moving  bool // the weights are moved
	dirs    []*tensor.Dense
	rate    T
	body    func(lo, hi int)
	scratch sync.Pool
}

// elementBlock elements of weights, gradient, moments and direction fit a core's first cache.
const elementBlock = 1024

// block is what one block needs besides the arrays themselves.
type block[T apoops.Float] struct {
	d, g [elementBlock]T
	m    [mostMoments][]T
	wide [][elementBlock]T // of the moments in 16 bits
}

// mostMoments is how many moments a Kernel may have.
const mostMoments = 4

// Elementwise makes the rule of a kernel for a task, on all cores and in one pass over
// memory. The kernels are two instances of one generic type; that of the parameters'
// dtype is used.
func Elementwise(t *Task, single Kernel[float32], double Kernel[float64]) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(),
		func() (Rule, error) { return startKernel(single, t) },
		func() (Rule, error) { return startKernel(double, t) })
	if err != nil {
		return nil, err
	}
	return start()
}

func startKernel[T apoops.Float](k Kernel[T], t *Task) (Rule, error) {
	n, kinds := len(k.Moments()), k.Kinds()
	if n > mostMoments {
		return nil, errors.Errorf("trainers: a kernel with %d moments: there can be %d", n, mostMoments)
	}
	if kinds != nil && len(kinds) != n {
		return nil, errors.Errorf("trainers: a kernel with %d moments and %d kinds of them", n, len(kinds))
	}
	low := make([]bool, n)
	for i, kind := range kinds {
		low[i] = t.Precision.Low(kind)
	}
	e := newElementwise(k, t, low)
	if p, ok := k.(SearchKernel[T]); ok {
		e.search = &elementLineSearch[T]{rule: e, k: p}
	}
	if p, ok := k.(TunedKernel[T]); ok {
		e.tuning = newElementTuning(e, p)
	}
	return e, nil
}

func newElementwise[T apoops.Float](k Kernel[T], t *Task, low []bool) *elementwise[T] {
	e := &elementwise[T]{k: k, params: t.Params, names: k.Moments(), precision: t.Precision}
	e.rounders = make([]precision.Rounder, len(e.params))
	for _, p := range e.params {
		m := newMoments[T](p.Value.DataSize(), low, t.Precision)
		e.m = append(e.m, m)
		e.bounds.Arrays = append(e.bounds.Arrays, append([][]T{apoops.Elements[T](p.Value)}, m.single...))
	}
	e.bounds.Norm = func(i, j int) float64 { return e.norm.Norm(e.m[i].bits[j-1]) }
	e.body = e.run
	for _, l := range low {
		if l {
			e.wide++
		}
	}
	e.scratch.New = func() any { return &block[T]{wide: make([][elementBlock]T, e.wide)} }
	return e
}

func (e *elementwise[T]) StaysFinite(in Input, rates []float64) bool {
	e.k.Begin(in.T)
	e.moves = 0
	return e.bounds.Hold(func(i int, x []float64) bool {
		d := e.k.Reach(x[0], in.Norm, x[1:])
		move := float64(T(rates[i])) * d
		e.moves = max(e.moves, move)
		x[0] += move
		return array.Within[T](d)
	})
}

func (e *elementwise[T]) Invalidate() { e.bounds.Invalidate() }

func (e *elementwise[T]) Reach() float64 { return e.moves }

// Fused is the rule itself.
func (e *elementwise[T]) Fused() Fused { return e }

// LineSearch is nil for a Kernel that is no SearchKernel.
func (e *elementwise[T]) LineSearch() LineSearch {
	if e.search == nil {
		return nil
	}
	return e.search
}

// Tunable is nil for a Kernel that is no TunedKernel.
func (e *elementwise[T]) Tunable() Tunable {
	if e.tuning == nil {
		return nil
	}
	return e.tuning
}

// Step takes a gradient in 16 bits too (Input.Packed), and leaves weights rounded.
func (e *elementwise[T]) Step(in Input, rates []float64) error {
	e.precision.Rounders(e.rounders, e.params)
	err := e.sweep(in, rates)
	if err == nil {
		e.precision.Rounded(len(e.params))
	}
	return err
}

// TakesPacked implements PackedReader.
func (e *elementwise[T]) TakesPacked() bool { return true }

func (e *elementwise[T]) Directions(in Input) ([]*tensor.Dense, error) {
	if e.dirs == nil {
		e.dirs = e.directionArrays()
	}
	if err := e.sweep(in, nil); err != nil {
		return nil, err
	}
	if e.k.Place() == InGradient {
		return in.G, nil
	}
	return e.dirs, nil
}

// inMoment reports whether the direction is the array of the first moment: that of 16 bits
// has it rounded.
func (e *elementwise[T]) inMoment() bool {
	return e.k.Place() == InFirstMoment && e.m[0].single[0] != nil
}

// directionArrays are the arrays that hold the directions.
func (e *elementwise[T]) directionArrays() []*tensor.Dense {
	switch {
	case e.k.Place() == InGradient:
		return nil
	case !e.inMoment():
		return array.ZerosLike(e.params)
	}
	all := make([]*tensor.Dense, len(e.params))
	for i, p := range e.params {
		all[i] = tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.WithBacking(e.m[i].single[0]))
	}
	return all
}

// sweep treats all parameters. With rates nil it leaves the directions in e.dirs
// instead of moving the weights.
func (e *elementwise[T]) sweep(in Input, rates []float64) error {
	if err := checkInput(e.params, in); err != nil {
		return err
	}
	e.k.Begin(in.T)
	e.moving = rates != nil
	for i, p := range e.params {
		e.w, e.d, e.g, e.at = apoops.Elements[T](p.Value), nil, nil, i
		e.seen = e.view(i)
		if in.Packed != nil {
			e.bits = in.Packed[i]
		} else {
			e.g = apoops.Elements[T](in.G[i])
		}
		if e.moving {
			e.rate = T(rates[i])
			e.rounded = nil
			if e.rounders[i].Rounds() {
				e.rounded = apoops.Elements[float32](p.Value)
			}
		} else if e.k.Place() != InGradient && !e.inMoment() {
			e.d = apoops.Elements[T](e.dirs[i])
		}
		par.For(len(e.w), par.Grain, e.body)
	}
	e.bits = graph.Packed{}
	return nil
}

// run treats elements [lo, hi) of a parameter.
func (e *elementwise[T]) run(lo, hi int) {
	s := e.scratch.Get().(*block[T])
	moments := e.m[e.at]
	m := s.m[:len(e.names)]
	for end := lo; lo < hi; lo = end {
		var seen []T
		seen, end = e.seen.part(lo, hi)
		moments.read(m, s.wide, lo, end)
		d, g := s.d[:end-lo], s.g[:end-lo]
		if e.d != nil {
			d = e.d[lo:end]
		}
		if e.g != nil {
			g = e.g[lo:end]
		} else {
			graph.Expand(g, e.bits, lo)
		}
		step := e.k.Direction(d, seen, g, m)
		moments.write(m, lo, end)
		switch {
		case e.moving:
			array.Descend(e.w[lo:end], step, e.rate)
			if e.rounded != nil {
				e.rounders[e.at].Round(e.rounded[lo:end], lo)
			}
		case e.d != nil && e.k.Place() == InFirstMoment:
			copy(d, step)
		}
	}
	e.scratch.Put(s)
}

func (e *elementwise[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for i, p := range e.params {
		for j, name := range e.names {
			all = append(all, e.m[i].named(j, p.Name+"/"+name, p.Value.Shape()))
		}
	}
	return all
}
