package apoops

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// Random is the source of randomness of one training run, of dropout masks and of
// drawn targets: a seed and the number of the step. A random number is a function
// of the seed, the stream of the layer and pass, the step and the index of the
// element, and of nothing else, so it is the same in every graph, in the forward and
// in the backward pass, and on any number of cores.
type Random struct {
	seed uint64
	step atomic.Int64
}

// NewRandom returns the source of the given seed, at step 0.
func NewRandom(seed uint64) *Random { return &Random{seed: seed} }

// SetStep chooses the random numbers of the runs that follow. It must not be called
// while a graph that uses r runs, for its forward and backward passes would draw
// different ones.
func (r *Random) SetStep(step int64) { r.step.Store(step) }

// Step returns the number of the step.
func (r *Random) Step() int64 { return r.step.Load() }

// key differs from stream to stream and from step to step.
func (r *Random) key(stream uint64) uint64 {
	return scramble(scramble(scramble(r.seed)+stream) + uint64(r.step.Load()))
}

// golden is 2⁶⁴ divided by the golden ratio, the increment of SplitMix64
// (Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014).
const golden = 0x9e3779b97f4a7c15

// scramble is one step of SplitMix64 from the state x.
func scramble(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// dropOut sets y to scale·x where the mask keeps the element and to 0 where it
// does not; x[0] is element number first. An element is dropped if its hash is
// below threshold.
func dropOut[T Float](y, x []T, first int, key, threshold uint64, scale T) {
	y = y[:len(x)]
	state := key + uint64(first)*golden
	for i, v := range x {
		_, dropped := bits.Sub64(scramble(state), threshold, 0)
		state += golden
		kept := math.Float64bits(float64(v*scale)) & (dropped - 1)
		y[i] = T(math.Float64frombits(kept))
	}
}
