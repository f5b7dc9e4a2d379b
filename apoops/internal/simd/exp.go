package simd

import "math"

// Exponentials are computed in float64 with a table and a short polynomial: their
// relative error is below 2⁻³⁹, so that rounding to float32 is their only visible one.

const (
	expSteps = 32                  // table entries per factor of 2
	expUnit  = math.Ln2 / expSteps // logarithm of one step
	expLimit = 700                 // e^±z stays a normal float64 up to here
	toInt    = 3 << 51             // adding it rounds a float64 to an integer, which then stands in the low bits

	// Taylor coefficients of e^(expUnit·r).
	expC2 = expUnit * expUnit / 2
	expC3 = expC2 * expUnit / 3
	expC4 = expC3 * expUnit / 4
)

// expTable holds the bits of 2^(i/32), less what the index i adds to them when
// it is shifted into the exponent with the rest of k. They are those of math.Exp2 on
// amd64, written out as other processors' differ.
var expTable = [expSteps]uint64{
	0x3ff0000000000000, 0x3fefd9b0d3158574, 0x3fefb5586cf9890f, 0x3fef9301d0125b51,
	0x3fef72b83c7d517b, 0x3fef54873168b9aa, 0x3fef387a6e756238, 0x3fef1e9df51fdee1,
	0x3fef06fe0a31b715, 0x3feef1a7373aa9cb, 0x3feedea64c123422, 0x3feece086061892d,
	0x3feebfdad5362a27, 0x3feeb42b569d4f82, 0x3feeab07dd485429, 0x3feea47eb03a5584,
	0x3feea09e667f3bcc, 0x3fee9f75e8ec5f74, 0x3feea11473eb0187, 0x3feea589994cce12,
	0x3feeace5422aa0dc, 0x3feeb737b0cdc5e5, 0x3feec49182a3f090, 0x3feed503b23e255c,
	0x3feee89f995ad3ae, 0x3feeff76f2fb5e47, 0x3fef199bdd85529c, 0x3fef3720dcef9069,
	0x3fef5818dcfba487, 0x3fef7c97337b9b5f, 0x3fefa4afa2a490da, 0x3fefd0765b6e4540,
}

// ExpParts returns s and p with eᶻ = s + s·p for |z| ≤ 700 or a NaN. Here s is
// 2^(k/32) for the integer k nearest to 32·z/ln 2, so |p| ≤ 0.011; the relative
// error of p is below 2⁻³².
func ExpParts(z float64) (s, p float64) {
	t := float64(z * (1 / expUnit))
	k := t + toInt
	r := t - (k - toInt)
	bits := math.Float64bits(k)
	s = math.Float64frombits(expTable[bits%expSteps] + bits<<47)
	return s, float64(r * (expUnit + float64(r*(expC2+float64(r*(expC3+float64(r*expC4)))))))
}

// Exp is eᶻ, 0 below -700 and +Inf above 700.
func Exp(z float64) float64 {
	switch {
	case z < -expLimit:
		return 0
	case z > expLimit:
		return math.Inf(1)
	}
	s, p := ExpParts(z)
	return s + float64(s*p)
}

// Exps replaces each z by eᶻ.
func Exps(z []float64) {
	if expsVector(z) {
		return
	}
	for i, v := range z {
		z[i] = Exp(v)
	}
}

// Logistic replaces each z by 1/(1+z).
func Logistic(z []float64) {
	n := 0
	if level > Off {
		n = len(z) &^ 3
		logistic(z[:n])
	}
	for i, v := range z[n:] {
		z[n+i] = 1 / (1 + v)
	}
}

// ExpBlock sets dst = e^(z-m).
func ExpBlock(dst []float64, z []float32, m float64) {
	dst = dst[:len(z)]
	if expBlockVector(dst, z, m) {
		return
	}
	for i, v := range z {
		dst[i] = Exp(float64(v) - m)
	}
}

// ExpRow sets dst = e^(z-m), where dst may be z, and returns the sum of the elements
// before they are rounded.
func ExpRow(dst, z []float32, m float64) (sum float64) {
	dst = dst[:len(z)]
	if len(z) < Sequential {
		var block [Sequential]float64
		ExpBlock(block[:], z, m)
		for i, e := range block[:len(z)] {
			dst[i] = float32(e)
			sum += e
		}
		return sum
	}
	var lanes Lanes
	if !expRowVector(&lanes, dst, z, m) {
		for i, v := range z {
			e := Exp(float64(v) - m)
			dst[i] = float32(e)
			lanes[i%len(lanes)] += e
		}
	}
	return lanes.Sum()
}

// SumExp is Σ e^(z-m).
func SumExp(z []float32, m float64) (sum float64) {
	if len(z) < Sequential {
		var block [Sequential]float64
		ExpBlock(block[:], z, m)
		for _, e := range block[:len(z)] {
			sum += e
		}
		return sum
	}
	var lanes Lanes
	if !sumExpVector(&lanes, z, m) {
		for i, v := range z {
			lanes[i%len(lanes)] += Exp(float64(v) - m)
		}
	}
	return lanes.Sum()
}

// Max is the largest element of z, -Inf where there is none. NaNs do not count, and
// of the zeros it is the positive one.
func Max(z []float32) float32 {
	if m, ok := maxVector(z); ok {
		return m + 0
	}
	m := float32(math.Inf(-1))
	for _, v := range z {
		if v > m {
			m = v
		}
	}
	return m + 0
}
