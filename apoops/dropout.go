package apoops

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Random is the source of randomness of one training run, of dropout masks and of
// drawn targets: a seed and the number of the step. A random number is a function
// of the seed, the stream of the layer and pass, the step and the index of the
// element, and of nothing else, so it is the same in every graph, in the forward and
// in the backward pass, and on any number of cores.
type Random struct {
	seed uint64
	step *atomic.Int64
	// first and count are the examples of Part, 0 and 0 for all.
	first, count int
}

// NewRandom returns the source of the given seed, at step 0.
func NewRandom(seed uint64) *Random { return &Random{seed: seed, step: new(atomic.Int64)} }

// Part is r for a graph that computes count examples of a batch alone, from the given one
// on: they have the random numbers that they have in a graph for the whole batch. The step
// is that of r.
func (r *Random) Part(first, count int) *Random {
	return &Random{seed: r.seed, step: r.step, first: first, count: count}
}

// SetFirst moves a Part to the examples from the given one on, for the runs that follow. A
// source that is no Part has all examples and stays.
func (r *Random) SetFirst(first int) { r.first = first }

// before is the number of elements, or rows, of the examples before those of an array of n.
func (r *Random) before(n int) int {
	if r.count == 0 {
		return 0
	}
	return n / r.count * r.first
}

// SetStep chooses the random numbers of the runs that follow. It must not be called
// while a graph that uses r runs, for its forward and backward passes would draw
// different ones.
func (r *Random) SetStep(step int64) { r.step.Store(step) }

// Step returns the number of the step.
func (r *Random) Step() int64 { return r.step.Load() }

// key differs from stream to stream and from step to step.
func (r *Random) key(stream uint64) uint64 {
	return simd.Scramble(simd.Scramble(simd.Scramble(r.seed)+stream) + uint64(r.step.Load()))
}

// Dropout sets elements of x to zero with probability rate and divides the
// others by 1-rate, so that the expected value stays. x is of any shape.
//
// Each layer and each pass (the mini-batch, the mini-batch of the function-space
// term) needs a stream of its own to have its own mask. The same source and stream
// give the same mask in two graphs.
//
// A rate of 0 copies x. A rate outside [0, 1) or NaN is an error.
func Dropout(x *gorgonia.Node, rate float64, masks *Random, stream uint64) (*gorgonia.Node, error) {
	if masks == nil {
		return nil, errors.New("apoops: dropout: masks is nil")
	}
	if !(rate >= 0 && rate < 1) {
		return nil, errors.Errorf("apoops: dropout: rate %v is not in [0, 1)", rate)
	}
	s := dropoutSettings{rate: rate, masks: masks, stream: stream}
	return applyFloat(&dropout[float32]{dropoutSettings: s}, &dropout[float64]{dropoutSettings: s}, x)
}

// RandomOf is the source of the masks of an op made by Dropout, nil for all others.
func RandomOf(o gorgonia.Op) *Random {
	if k, ok := kernelOf(o).(interface{ random() *Random }); ok {
		return k.random()
	}
	return nil
}

func (s dropoutSettings) random() *Random { return s.masks }

type dropoutSettings struct {
	rate   float64
	masks  *Random
	stream uint64
}

// dropout is the kernel of Dropout and of its gradient, which is the same
// function of the gradient of the result.
type dropout[T Float] struct {
	dropoutSettings
	a         *args[T]
	key       uint64
	threshold uint64
	scale     T
	body      func(lo, hi int)
}

func (k *dropout[T]) name() string     { return fmt.Sprintf("dropout(%v, %d)", k.rate, k.stream) }
func (k *dropout[T]) wrt() []bool      { return []bool{true} }
func (k *dropout[T]) clone() kernel[T] { return &dropout[T]{dropoutSettings: k.dropoutSettings} }

func (k *dropout[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *dropout[T]) run(a *args[T]) error {
	if k.rate == 0 {
		copy(a.out, a.in[0])
		return nil
	}
	if k.body == nil {
		k.body = func(lo, hi int) {
			simd.DropOut(k.a.out[lo:hi], k.a.in[0][lo:hi], k.key+uint64(lo)*simd.Golden, k.threshold, k.scale)
		}
	}
	k.a, k.key = a, k.masks.key(k.stream)+uint64(k.masks.before(len(a.out)))*simd.Golden
	k.threshold, k.scale = uint64(math.Ldexp(k.rate, 64)), T(1/(1-k.rate))
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *dropout[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&dropout[T]{dropoutSettings: k.dropoutSettings}, dout)
	return gorgonia.Nodes{dx}, err
}

// uniform is the i-th number of a stream, in (0, 1).
func uniform(key uint64, i int) float64 {
	return (float64(simd.Scramble(key+uint64(i)*simd.Golden)>>11) + 0.5) / (1 << 53)
}

// normal is the i-th number of a stream of standard normal numbers (Box and
// Muller 1958).
func normal(key uint64, i int) float64 {
	return math.Sqrt(-2*math.Log(uniform(key, 2*i))) * math.Cos(2*math.Pi*uniform(key, 2*i+1))
}
