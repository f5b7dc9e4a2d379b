package simd

import (
	"math"
	"math/bits"
)

// Golden is 2⁶⁴ divided by the golden ratio, the increment of SplitMix64
// (Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014).
const Golden = 0x9e3779b97f4a7c15

const scramble1, scramble2 = 0xbf58476d1ce4e5b9, 0x94d049bb133111eb

// Scramble is one step of SplitMix64 from the state x.
func Scramble(x uint64) uint64 {
	x += Golden
	x = (x ^ x>>30) * scramble1
	x = (x ^ x>>27) * scramble2
	return x ^ x>>31
}

// DropOut sets y to f·x where Scramble of the element's state is threshold or more and
// to 0 elsewhere; the state is that of the first element and grows by Golden.
func DropOut[T Float](y, x []T, state, threshold uint64, f T) {
	y = y[:len(x)]
	if fast[T]() {
		dropOut(singles(y), singles(x), state, threshold, float32(f))
		return
	}
	for i, v := range x {
		_, dropped := bits.Sub64(Scramble(state), threshold, 0)
		state += Golden
		kept := math.Float64bits(float64(v*f)) & (dropped - 1)
		y[i] = T(math.Float64frombits(kept))
	}
}
