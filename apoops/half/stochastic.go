package half

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// Key is the key of stochastic rounding for a seed, a stream (the number of a parameter
// or of an array of it) and a step. Different ones give independent random bits.
func Key(seed, stream uint64, step int64) uint64 {
	return simd.Scramble(simd.Scramble(simd.Scramble(seed)+stream) + uint64(step))
}

// state is the one from which simd.Scramble makes the random bits of element i.
func state(key uint64, i int) uint64 { return key + uint64(i)*simd.Golden }

// PackStochastic sets dst to the bits of one of the two numbers of the format next to
// src: of a number x between its neighbours a < b it is b with the probability
//
//	(x - a)/(b - a)
//
// exactly, and a otherwise, so that its expected value is x. A number of the format
// stays. Beyond the largest number the format counts as if it went on, with infinity
// for all that follows. A NaN becomes what Pack makes of it.
//
// The choice for src[i] is a function of the key, first+i and src[i]: a slice that is
// cut anywhere, with first as the index of the part's first element, gives the same
// bits. dst is at least as long as src.
func PackStochastic(f Format, dst []uint16, src []float32, key uint64, first int) {
	dst = dst[:len(src)]
	if f == BFloat16 {
		n := drawVector(dst, src, state(key, first))
		dst, src, first = dst[n:], src[n:], first+n
		for i, x := range src {
			dst[i] = drawBFloat16(math.Float32bits(x), simd.Scramble(state(key, first+i)))
		}
		return
	}
	for i, x := range src {
		dst[i] = drawFloat16(math.Float32bits(x), simd.Scramble(state(key, first+i)))
	}
}

// RoundStochastic replaces each x by a neighbour in the format as PackStochastic does:
// the result is Expand of what that packs, bit for bit.
func RoundStochastic(f Format, x []float32, key uint64, first int) {
	if f == BFloat16 {
		n := redrawVector(x, state(key, first))
		x, first = x[n:], first+n
		for i, v := range x {
			x[i] = math.Float32frombits(uint32(drawBFloat16(math.Float32bits(v), simd.Scramble(state(key, first+i)))) << 16)
		}
		return
	}
	for i, v := range x {
		x[i] = math.Float32frombits(fromFloat16(drawFloat16(math.Float32bits(v), simd.Scramble(state(key, first+i)))))
	}
}

// drawBFloat16 adds 16 random bits to those that bfloat16 has no room for: the carry
// has the probability of their distance to the lower neighbour.
func drawBFloat16(b uint32, random uint64) uint16 {
	if b&abs32 > infinity32 {
		return uint16(b>>16) | quiet32>>16
	}
	return uint16((b + uint32(random>>48)) >> 16)
}

// drawFloat16 does the same with 13 bits where float16 has normal numbers.
func drawFloat16(b uint32, random uint64) uint16 {
	sign, a := uint16(b>>16&0x8000), b&abs32
	switch {
	case a > infinity32:
		return sign | 0x7e00 | uint16(a>>13)&0x3ff
	case a >= overflow16:
		return sign | 0x7c00
	case a < lowest16:
		return sign | drawSubnormal16(a, random)
	}
	return sign | uint16((a-rebias16+uint32(random>>51))>>13)
}

// drawSubnormal16 is for |x| below the normal numbers of float16. |x| is an integer
// times 2⁻ᵏ of the smallest number 2⁻²⁴, 14 ≤ k ≤ 125. What k bits do not hold is the
// lower neighbour, the rest is compared with 128 random bits: a second draw decides
// where the first one equals the threshold.
func drawSubnormal16(a uint32, random uint64) uint16 {
	exponent := max(a>>fraction32, 1)
	significand := uint64(a & (1<<fraction32 - 1))
	if a>>fraction32 > 0 {
		significand |= 1 << fraction32
	}
	k := 126 - exponent
	lower := significand >> k // 0 for k of 24 and more
	rest := significand - lower<<k
	var high, low uint64 // rest·2¹²⁸⁻ᵏ
	if k <= 64 {
		high = rest << (64 - k)
	} else {
		high, low = rest>>(k-64), rest<<(128-k)
	}
	if random < high || random == high && simd.Scramble(random) < low {
		lower++
	}
	return uint16(lower)
}
