package arraytest

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
)

// FirstDifference is the index of the first element whose bits differ, -1 for none.
// The arrays have equal lengths.
func FirstDifference[T apoops.Float](x, y []T) int {
	for i := range x {
		if math.Float64bits(float64(x[i])) != math.Float64bits(float64(y[i])) {
			return i
		}
	}
	return -1
}

// FusesMultiplyAdd reports whether this build computes x·y+z with one rounding. Then
// two loops of one formula may differ in their last bit.
func FusesMultiplyAdd[T apoops.Float]() bool {
	tiny := T(1)
	for 1+tiny*tiny != 1 {
		tiny /= 2
	}
	return multiplyAdd(1+tiny, 1+tiny, -(1+2*tiny)) != multiplyThenAdd(1+tiny, 1+tiny, -(1+2*tiny))
}

//go:noinline
func multiplyAdd[T apoops.Float](x, y, z T) T { return x*y + z }

// multiplyThenAdd rounds the product: the conversion says so.
//
//go:noinline
func multiplyThenAdd[T apoops.Float](x, y, z T) T { return T(x*y) + z }
