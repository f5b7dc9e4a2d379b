package rule

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// sumKernel is an update rule whose direction at one element depends on sums over all
// parameters besides, such as a norm. A step goes over memory twice: gather advances the
// state and returns what is added up, settle makes numbers of the sums, direct the
// direction. All in between is serial.
type sumKernel[T apoops.Float] interface {
	// arrays are those of the state, each of the weights' shape.
	arrays() []stateArray
	// numbers are the state besides, which the kernel changes in place.
	numbers() []stateNumbers
	// begin prepares a step at these rates, one for each parameter, before a meta-step.
	begin(in Input, rates []float64)
	// gather treats elements [lo, hi). Several goroutines call it at once.
	gather(a *arraysOf[T], lo, hi int) sums
	// settle has the sums of each parameter.
	settle(totals []sums)
	// direct sets a.d in [lo, hi). Several goroutines call it at once.
	direct(a *arraysOf[T], lo, hi int)

	// foresee prepares reach with bounds of the norms of all weights and arrays of the
	// state, by parameter, the weights' first; norm is that of the gradient.
	foresee(norm float64, bounds [][]float64)
	// reach bounds the norm of a parameter's direction and, in place, those of its arrays
	// after a step, the weights excepted. +Inf stands for no bound.
	reach(i int, norm float64, x []float64) (d float64)
}

// sums are what a rule adds up over elements.
type sums [5]float64

// stateArray is an array of the state.
type stateArray struct {
	name string
	kind precision.Kind // or inFloat32
	// origin marks the weights before the first step, or those that replaced them
	// (Rule.Replaced); the others begin at 0.
	origin bool
}

// inFloat32 is the kind of an array that is never kept in 16 bits.
const inFloat32 precision.Kind = -1

// stateNumbers are numbers of the state with a name in checkpoints.
type stateNumbers struct {
	name   string
	values []float64
}

// arraysOf are those of one parameter at a step: its number and rate, weights, gradient,
// direction and state.
type arraysOf[T apoops.Float] struct {
	i       int
	rate    float64
	w, g, d []T
	m       [][]T
}

// summed runs a sumKernel over all parameters, on all cores. The sums are in float64; their
// order does not depend on the number of cores.
type summed[T apoops.Float] struct {
	Base
	k      sumKernel[T]
	params []*graph.Param
	listed []stateArray
	m      [][][]T // by parameter and array
	dirs   []*tensor.Dense
	lr     float64   // the rate where Input.Rates is not known
	rates  []float64 // by parameter
	totals []sums
	bounds array.Bounds[T]
	known  [][]float64
	moves  float64 // Reach

	at        arraysOf[T]
	part      []sums
	gathering func(lo, hi int)
	directing func(lo, hi int)
}

// startSummed makes the rule of a kernel for a task. The kernels are two instances of one
// generic type; that of the parameters' dtype is used.
func startSummed(t *Task, lr float64, single sumKernel[float32], double sumKernel[float64]) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(),
		func() Rule { return newSummed(t, lr, single) },
		func() Rule { return newSummed(t, lr, double) })
	if err != nil {
		return nil, err
	}
	return start(), nil
}

func newSummed[T apoops.Float](t *Task, lr float64, k sumKernel[T]) *summed[T] {
	n := len(t.Params)
	s := &summed[T]{
		k: k, params: t.Params, listed: k.arrays(), dirs: array.ZerosLike(t.Params), lr: lr,
		rates: make([]float64, n), totals: make([]sums, n), known: make([][]float64, n),
	}
	for _, p := range t.Params {
		m := make([][]T, len(s.listed))
		for j := range m {
			m[j] = make([]T, p.Value.DataSize())
			if kind := s.listed[j].kind; kind != inFloat32 {
				t.Precision.Keep(kind, array.Vector(m[j]))
			}
		}
		s.m = append(s.m, m)
		s.bounds.Arrays = append(s.bounds.Arrays, append([][]T{apoops.Elements[T](p.Value)}, m...))
	}
	s.gathering = func(lo, hi int) { s.part[lo/par.Grain] = s.k.gather(&s.at, lo, hi) }
	s.directing = func(lo, hi int) { s.k.direct(&s.at, lo, hi) }
	s.Replaced()
	return s
}

// Replaced has the weights as they are for the origin.
func (s *summed[T]) Replaced() {
	for i, p := range s.params {
		for j, a := range s.listed {
			if a.origin {
				copy(s.m[i][j], apoops.Elements[T](p.Value))
			}
		}
	}
}

func (s *summed[T]) Directions(in Input) ([]*tensor.Dense, error) {
	if err := CheckGradients(s.params, in.G); err != nil {
		return nil, err
	}
	if in.T == 1 {
		s.Replaced() // the weights may have been set by hand
	}
	for i := range s.rates {
		s.rates[i] = s.lr
		if in.Rates != nil {
			s.rates[i] = in.Rates[i] * in.Scale
		}
	}
	s.k.begin(in, s.rates)
	for i := range s.params {
		s.take(i, in)
		n := len(s.at.w)
		s.part = append(s.part[:0], make([]sums, (n+par.Grain-1)/par.Grain)...)
		par.For(n, par.Grain, s.gathering)
		s.totals[i] = sums{}
		for _, p := range s.part {
			for j, v := range p {
				s.totals[i][j] += v
			}
		}
	}
	s.k.settle(s.totals)
	for i := range s.params {
		s.take(i, in)
		par.For(len(s.at.w), par.Grain, s.directing)
	}
	return s.dirs, nil
}

// take has the arrays of parameter i ready for a pass.
func (s *summed[T]) take(i int, in Input) {
	s.at = arraysOf[T]{
		i: i, rate: s.rates[i], w: apoops.Elements[T](s.params[i].Value), g: apoops.Elements[T](in.G[i]),
		d: apoops.Elements[T](s.dirs[i]), m: s.m[i],
	}
}

// StaysFinite follows bounds of norms, which are bounds of the elements too. Where they
// have grown too large the arrays are measured again.
func (s *summed[T]) StaysFinite(in Input, rates []float64) bool {
	s.k.begin(in, rates)
	for range 2 {
		if !s.bounds.Hold(func(i int, x []float64) bool {
			s.known[i] = append(s.known[i][:0], x...)
			return true
		}) {
			return false
		}
		s.k.foresee(in.Norm, s.known)
		s.moves = 0
		if s.bounds.Hold(func(i int, x []float64) bool {
			d := s.k.reach(i, in.Norm, x)
			move := float64(T(rates[i])) * d
			s.moves = max(s.moves, move)
			x[0] += move
			return array.Within[T](d)
		}) {
			return true
		}
		s.bounds.Invalidate()
	}
	return false
}

func (s *summed[T]) Reach() float64 { return s.moves }

func (s *summed[T]) Invalidate() { s.bounds.Invalidate() }

// State has the arrays before the numbers: an error about what is not finite names the
// first.
func (s *summed[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for i, p := range s.params {
		for j, a := range s.listed {
			all = append(all, checkpoint.NamedTensor{
				Name:  p.Name + "/" + a.name,
				Value: tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.WithBacking(s.m[i][j])),
			})
		}
	}
	for _, n := range s.k.numbers() {
		all = append(all, checkpoint.NamedTensor{Name: n.name, Value: array.Vector(n.values)})
	}
	return all
}

// normOf is the norm of all arrays of that number, from bounds of their norms.
func normOf(bounds [][]float64, j int) float64 {
	total := 0.0
	for _, x := range bounds {
		total += x[j] * x[j]
	}
	return math.Sqrt(total)
}

// elementsOf is the number of weights.
func elementsOf(params []*graph.Param) (n int) {
	for _, p := range params {
		n += p.Value.DataSize()
	}
	return n
}
