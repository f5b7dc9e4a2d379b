package vmath

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Float is the set of element types.
type Float = blas.Float

// The functions for float32 work in float64 with a table and a short
// polynomial, so that the rounding of the result is their only visible error.
// Those for float64 are built on package math.

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
// it is shifted into the exponent with the rest of k.
var expTable = func() (t [expSteps]uint64) {
	for i := range t {
		t[i] = math.Float64bits(math.Exp2(float64(i)/expSteps)) - uint64(i)<<47
	}
	return t
}()

// expParts returns s and p with eᶻ = s + s·p for |z| ≤ 700 or a NaN. Here s is
// 2^(k/32) for the integer k nearest to 32·z/ln 2, so |p| ≤ 0.011; the relative
// error of p is below 2⁻³².
func expParts(z float64) (s, p float64) {
	t := z * (1 / expUnit)
	k := t + toInt
	r := t - (k - toInt)
	bits := math.Float64bits(k)
	s = math.Float64frombits(expTable[bits%expSteps] + bits<<47)
	return s, r * (expUnit + r*(expC2+r*(expC3+r*expC4)))
}

// clamp brings z into [-limit, limit]. Two branches that are nearly always
// taken the same way are quicker than the built-in min and max.
func clamp(z, limit float64) float64 {
	if z < -limit {
		return -limit
	}
	if z > limit {
		return limit
	}
	return z
}

// Exps replaces each z by eᶻ, to a relative error of 2⁻³⁹ where T is float32:
// the sum of such values is rounded only once.
func Exps[T Float](z []float64) {
	if !blas.Pick[T](true, false) {
		for i, v := range z {
			z[i] = math.Exp(v)
		}
		return
	}
	for i, v := range z {
		switch {
		case v < -expLimit:
			z[i] = 0
		case v > expLimit:
			z[i] = math.Inf(1)
		default:
			s, p := expParts(v)
			z[i] = s + s*p
		}
	}
}

// Sigmoids replaces each z by 1/(1+e⁻ᶻ).
func Sigmoids[T Float](z []T) {
	if !blas.Pick[T](true, false) {
		for i, v := range z {
			z[i] = T(sigmoid(float64(v)))
		}
		return
	}
	for i, v := range z {
		s, p := expParts(clamp(-float64(v), expLimit))
		z[i] = T(1 / (1 + (s + s*p)))
	}
}

// sigmoid is 1/(1+e⁻ᶻ) without overflow.
func sigmoid(z float64) float64 {
	e := math.Exp(-math.Abs(z))
	if z >= 0 {
		return 1 / (1 + e)
	}
	return e / (1 + e)
}

// Tanhs replaces each z by tanh z = E/(E+2) with E = e²ᶻ - 1.
func Tanhs[T Float](z []T) {
	if !blas.Pick[T](true, false) {
		for i, v := range z {
			z[i] = T(math.Tanh(float64(v)))
		}
		return
	}
	for i, v := range z {
		s, p := expParts(clamp(2*float64(v), 40)) // tanh 20 is 1 in float32
		e := s*p - (1 - s)                        // in this order -0 stays -0
		z[i] = T(e / (e + 2))
	}
}

// ExpRest is eᶻ - 1 - z without cancellation.
func ExpRest(z float64) float64 {
	if math.Abs(z) > 1./16 {
		return math.Exp(z) - 1 - z
	}
	const (
		c3 = 1. / 6
		c4 = c3 / 4
		c5 = c4 / 5
		c6 = c5 / 6
		c7 = c6 / 7
		c8 = c7 / 8
		c9 = c8 / 9
	)
	y := z * z
	return y * ((0.5 + z*c3) + y*((c4+z*c5)+y*((c6+z*c7)+y*(c8+z*c9))))
}

// Expm1 is eᶻ - 1 without cancellation.
func Expm1(z float64) float64 {
	if math.Abs(z) > 1./16 {
		return math.Exp(z) - 1
	}
	return z + ExpRest(z)
}

// Log1p is ln(1+x) for a finite x ≥ 0: the logarithm of the rounded sum, and
// the rounding made good.
func Log1p(x float64) float64 {
	w := 1 + x
	return math.Log(w) - ((w-1)-x)/w
}

// Softplus is ln(1+eᶻ).
func Softplus(z float64) float64 {
	return max(z, 0) + Log1p(math.Exp(-math.Abs(z)))
}
