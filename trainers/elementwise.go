package trainers

import (
	"sync"

	"github.com/apo-gorgonia/apo/trainers/internal/array"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// elementKernel is an update rule whose direction at one element depends on
// that element of the weights, the gradient and the state alone.
type elementKernel[T apoops.Float] interface {
	// moments names the state arrays, each of the weights' shape, zero at first.
	moments() []string
	// begin prepares step t, counted from 1.
	begin(t int)
	// place tells where direction leaves its result.
	place() place
	// direction advances the moments m with the gradient g and returns the
	// direction, in d or where it is anyway; all slices are the same stretch of
	// their arrays.
	direction(d, w, g []T, m [][]T) []T
	// reach bounds the direction's elements and, in place, the moments after a step,
	// by bounds of the weights, the gradient and the moments before.
	reach(w, g float64, m []float64) (d float64)
}

// place is where a rule's direction is after a step.
type place int

const (
	ownBuffer     place = iota // it needs an array of its own
	inGradient                 // it is the gradient
	inFirstMoment              // it is the first moment
)

// elementwise runs an elementKernel over all parameters, on all cores, in one
// pass over memory: direction and weights are done block by block, so that the
// block is still in the cache. With and without an explicit direction the same
// operations happen in the same order, and so give the same bits.
type elementwise[T apoops.Float] struct {
	k      elementKernel[T]
	params []*graph.Param
	names  []string
	m      [][][]T // by parameter and moment
	bounds array.Bounds[T]
	moves  float64 // reached

	// the parameter in work
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
	m [4][]T
}

// startElementwise makes the rule of the parameters' dtype.
func startElementwise(params []*graph.Param, k32 elementKernel[float32], k64 elementKernel[float64]) (rule, error) {
	if err := graph.CheckParams(params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(params[0].Value.Dtype(),
		func() rule { return startKernel(k32, params) }, func() rule { return startKernel(k64, params) })
	if err != nil {
		return nil, err
	}
	return start(), nil
}

func startKernel[T apoops.Float](k elementKernel[T], params []*graph.Param) rule {
	e := newElementwise(k, params)
	if p, ok := k.(probeKernel[T]); ok {
		return &elementProber[T]{elementwise: e, k: p}
	}
	return e
}

func newElementwise[T apoops.Float](k elementKernel[T], params []*graph.Param) *elementwise[T] {
	e := &elementwise[T]{k: k, params: params, names: k.moments()}
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

func (e *elementwise[T]) certain(s signal, rates []float64) bool {
	e.k.begin(s.t)
	e.moves = 0
	return e.bounds.Hold(func(i int, x []float64) bool {
		d := e.k.reach(x[0], s.norm, x[1:])
		move := float64(T(rates[i])) * d
		e.moves = max(e.moves, move)
		x[0] += move
		return array.Within[T](d)
	})
}

func (e *elementwise[T]) forget() { e.bounds.Invalidate() }

func (e *elementwise[T]) reached() float64 { return e.moves }

func (e *elementwise[T]) step(s signal, rates []float64) error {
	return e.sweep(s.t, rates, s.g)
}

func (e *elementwise[T]) directions(s signal) ([]*tensor.Dense, error) {
	if e.dirs == nil {
		e.dirs = e.directionArrays()
	}
	if err := e.sweep(s.t, nil, s.g); err != nil {
		return nil, err
	}
	if e.k.place() == inGradient {
		return s.g, nil
	}
	return e.dirs, nil
}

// directionArrays are the arrays that hold the directions.
func (e *elementwise[T]) directionArrays() []*tensor.Dense {
	switch e.k.place() {
	case inGradient:
		return nil
	case ownBuffer:
		return array.ZerosLike(e.params)
	}
	all := make([]*tensor.Dense, len(e.params))
	for i, p := range e.params {
		all[i] = tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.WithBacking(e.m[i][0]))
	}
	return all
}

// sweep treats all parameters; with rates nil it leaves the directions in e.dirs
// instead of moving the weights.
func (e *elementwise[T]) sweep(t int, rates []float64, g []*tensor.Dense) error {
	for i, p := range e.params {
		if g[i].Dtype() != p.Value.Dtype() || g[i].DataSize() != p.Value.DataSize() {
			return ErrShape.Errorf("trainers: gradient of %q is %v of shape %v, not %v of shape %v", p.Name, g[i].Dtype(), g[i].Shape(), p.Value.Dtype(), p.Value.Shape())
		}
	}
	e.k.begin(t)
	e.moving = rates != nil
	for i, p := range e.params {
		e.w, e.g, e.moments = apoops.Elements[T](p.Value), apoops.Elements[T](g[i]), e.m[i]
		e.d = nil
		if e.moving {
			e.rate = T(rates[i])
		} else if e.k.place() == ownBuffer {
			e.d = apoops.Elements[T](e.dirs[i])
		}
		par.For(len(e.w), par.Grain, e.body)
	}
	return nil
}

// run treats elements [lo, hi) of the parameter in work.
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
		d = e.k.direction(d, w, e.g[lo:end], m)
		if e.moving {
			array.Descend(w, d, e.rate)
		}
	}
	e.scratch.Put(s)
}

func (e *elementwise[T]) state() []NamedTensor {
	var all []NamedTensor
	for i, p := range e.params {
		for j, name := range e.names {
			all = append(all, NamedTensor{
				Name:  p.Name + "/" + name,
				Value: tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.WithBacking(e.m[i][j])),
			})
		}
	}
	return all
}
