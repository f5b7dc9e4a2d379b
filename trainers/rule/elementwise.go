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
)

// elementwise runs a Kernel over all parameters, on all cores, in one
// pass over memory: direction and weights are done block by block, so that the
// block is still in the cache. With and without an explicit direction the same
// operations happen in the same order, and so give the same bits.
type elementwise[T apoops.Float] struct {
	Base
	k      Kernel[T]
	params []*graph.Param
	names  []string
	m      [][][]T // by parameter and moment
	bounds array.Bounds[T]
	moves  float64               // Reach
	search *elementLineSearch[T] // nil for a kernel without

	// The parameter that a step is at.
	w, g, d []T // d is nil where the direction needs no array of its own
	moments [][]T
	moving  bool // the weights are moved
	dirs    []*tensor.Dense
	rate    T
	body    func(lo, hi int)
	scratch sync.Pool
}

const elementBlock = 2048

// block is what one block needs besides the arrays themselves.
type block[T apoops.Float] struct {
	d [elementBlock]T
	m [mostMoments][]T
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
	e := newElementwise(k, t.Params)
	if kinds != nil {
		for i, a := range e.State() {
			t.Precision.Keep(kinds[i%n], a.Value)
		}
	}
	if p, ok := k.(SearchKernel[T]); ok {
		e.search = &elementLineSearch[T]{rule: e, k: p}
	}
	return e, nil
}

func newElementwise[T apoops.Float](k Kernel[T], params []*graph.Param) *elementwise[T] {
	e := &elementwise[T]{k: k, params: params, names: k.Moments()}
	for _, p := range params {
		m := make([][]T, len(e.names))
		for j := range m {
			m[j] = make([]T, p.Value.DataSize())
		}
		e.m = append(e.m, m)
		e.bounds.Arrays = append(e.bounds.Arrays, append([][]T{apoops.Elements[T](p.Value)}, m...))
	}
	e.body = e.run
	e.scratch.New = func() any { return new(block[T]) }
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

func (e *elementwise[T]) Step(in Input, rates []float64) error { return e.sweep(in.T, rates, in.G) }

func (e *elementwise[T]) Directions(in Input) ([]*tensor.Dense, error) {
	if e.dirs == nil {
		e.dirs = e.directionArrays()
	}
	if err := e.sweep(in.T, nil, in.G); err != nil {
		return nil, err
	}
	if e.k.Place() == InGradient {
		return in.G, nil
	}
	return e.dirs, nil
}

// directionArrays are the arrays that hold the directions.
func (e *elementwise[T]) directionArrays() []*tensor.Dense {
	switch e.k.Place() {
	case InGradient:
		return nil
	case OwnBuffer:
		return array.ZerosLike(e.params)
	}
	all := make([]*tensor.Dense, len(e.params))
	for i, p := range e.params {
		all[i] = tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.WithBacking(e.m[i][0]))
	}
	return all
}

// sweep treats all parameters. With rates nil it leaves the directions in e.dirs
// instead of moving the weights.
func (e *elementwise[T]) sweep(t int, rates []float64, g []*tensor.Dense) error {
	if err := CheckGradients(e.params, g); err != nil {
		return err
	}
	e.k.Begin(t)
	e.moving = rates != nil
	for i, p := range e.params {
		e.w, e.g, e.moments = apoops.Elements[T](p.Value), apoops.Elements[T](g[i]), e.m[i]
		e.d = nil
		if e.moving {
			e.rate = T(rates[i])
		} else if e.k.Place() == OwnBuffer {
			e.d = apoops.Elements[T](e.dirs[i])
		}
		par.For(len(e.w), par.Grain, e.body)
	}
	return nil
}

// run treats elements [lo, hi) of a parameter.
func (e *elementwise[T]) run(lo, hi int) {
	s := e.scratch.Get().(*block[T])
	m := s.m[:len(e.moments)]
	for ; lo < hi; lo += elementBlock {
		end := min(lo+elementBlock, hi)
		for j, x := range e.moments {
			m[j] = x[lo:end]
		}
		w, d := e.w[lo:end], s.d[:end-lo]
		if e.d != nil {
			d = e.d[lo:end]
		}
		d = e.k.Direction(d, w, e.g[lo:end], m)
		if e.moving {
			array.Descend(w, d, e.rate)
		}
	}
	e.scratch.Put(s)
}

func (e *elementwise[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for i, p := range e.params {
		for j, name := range e.names {
			all = append(all, checkpoint.NamedTensor{
				Name:  p.Name + "/" + name,
				Value: tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.WithBacking(e.m[i][j])),
			})
		}
	}
	return all
}

// CheckGradients reports gradients that are missing or not of their parameters' dtype and size.
func CheckGradients(params []*graph.Param, g []*tensor.Dense) error {
	for i, p := range params {
		if g[i] == nil {
			return errors.Errorf("trainers: there is no gradient of %q", p.Name)
		}
		if g[i].Dtype() != p.Value.Dtype() || g[i].DataSize() != p.Value.DataSize() {
			return graph.ErrShape.Errorf("trainers: gradient of %q is %v of shape %v, not %v of shape %v", p.Name, g[i].Dtype(), g[i].Shape(), p.Value.Dtype(), p.Value.Shape())
		}
	}
	return nil
}
