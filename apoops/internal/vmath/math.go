package vmath

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// Float is the set of element types.
type Float = blas.Float

// The functions for float32 work in float64 with the exponentials of package simd, so
// that the rounding of the result is their only visible error. Those for float64 are
// built on package math.

// singles is x as float32; ok is false where it is not.
func singles[T Float](x []T) (s []float32, ok bool) {
	if !blas.Pick[T](true, false) {
		return nil, false
	}
	return any(x).([]float32), true
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
	simd.Exps(z)
}

// Sigmoids replaces each z by 1/(1+e⁻ᶻ).
func Sigmoids[T Float](z []T) {
	if !blas.Pick[T](true, false) {
		for i, v := range z {
			z[i] = T(sigmoid(float64(v)))
		}
		return
	}
	for buf := new(Block); len(z) > 0; {
		b := SigmoidBlock(buf, z)
		for i, y := range b {
			z[i] = T(y)
		}
		z = z[len(b):]
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
		s, p := simd.ExpParts(clamp(2*float64(v), 40)) // tanh 20 is 1 in float32
		e := float64(s*p) - (1 - s)                    // in this order -0 stays -0
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

// SumLog1p is Σ ln(1+x) for at most 1000 numbers x in [0, 1]: ln(1+q) with
// 1+q = Π(1+x), in four products whose steps overlap. q is kept instead of 1+q, for
// 1+q is no more than 1 where all x are tiny.
func SumLog1p(x []float64) float64 {
	var a, b, c, d float64
	for len(x) >= 4 {
		v := x[:4:4]
		a = a*(1+v[0]) + v[0]
		b = b*(1+v[1]) + v[1]
		c = c*(1+v[2]) + v[2]
		d = d*(1+v[3]) + v[3]
		x = x[4:]
	}
	for _, v := range x {
		a = a*(1+v) + v
	}
	a, c = a*(1+b)+b, c*(1+d)+d
	return Log1p(a*(1+c) + c)
}

// Softplus is ln(1+eᶻ).
func Softplus(z float64) float64 {
	return max(z, 0) + Log1p(math.Exp(-math.Abs(z)))
}
