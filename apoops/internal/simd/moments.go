package simd

import "math"

// Combine sets y = f·a + h·b, where y may be a or b.
func Combine[T Float](y, a, b []T, f, h T) {
	a, b = a[:len(y)], b[:len(y)]
	if fast[T]() {
		combine(singles(y), singles(a), singles(b), float32(f), float32(h))
		return
	}
	for i, v := range a {
		y[i] = T(f*v) + T(h*b[i])
	}
}

// AverageSquares sets v = f·v + h·x·x, the product from the left.
func AverageSquares[T Float](v, x []T, f, h T) {
	x = x[:len(v)]
	if fast[T]() {
		averageSquares(singles(v), singles(x), float32(f), float32(h))
		return
	}
	for i, p := range x {
		v[i] = T(f*v[i]) + T(h*p*p)
	}
}

// DivideByRoots sets y = f·x/(root·√v + eps), where y may be x.
func DivideByRoots[T Float](y, x, v []T, f, root, eps T) {
	x, v = x[:len(y)], v[:len(y)]
	if fast[T]() {
		divideByRoots(singles(y), singles(x), singles(v), float32(f), float32(root), float32(eps))
		return
	}
	for i, p := range x {
		y[i] = f * p / (T(root*T(math.Sqrt(float64(v[i])))) + eps)
	}
}
