package simd

import "math"

// What the routines read, which know the order.

// edge has the mask of the r first elements of eight from its element 8-r on.
//
//lint:ignore U1000 read by assembly
var edge = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// expConstants are those of exponentials, each in all elements of the longest vector.
//
//lint:ignore U1000 read by assembly
var expConstants = [...][8]float64{
	all[float64](1 / expUnit), all[float64](toInt), all(expC4), all(expC3), all(expC2), all(expUnit),
	all[float64](-expLimit), all[float64](expLimit), all(math.Inf(1)),
}

// scrambleConstants are Golden times 0 to 7, and then in all elements Golden times 8,
// Golden, the two factors of Scramble, and the sign bit.
//
//lint:ignore U1000 read by assembly
var scrambleConstants = [...][8]uint64{
	{0, Golden, Golden * 2 % (1 << 64), Golden * 3 % (1 << 64), Golden * 4 % (1 << 64), Golden * 5 % (1 << 64), Golden * 6 % (1 << 64), Golden * 7 % (1 << 64)},
	all[uint64](Golden * 8 % (1 << 64)), all[uint64](Golden), all[uint64](scramble1), all[uint64](scramble2), all[uint64](1 << 63),
}

func all[T float64 | uint64](x T) [8]T { return [8]T{x, x, x, x, x, x, x, x} }
