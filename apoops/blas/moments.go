package blas

import "github.com/apo-gorgonia/apo/apoops/internal/simd"

// The functions of this file are what rules with moments, such as Adam, do with short
// stretches of vectors of equal length, those of y or v. Those of float32 are in vector
// instructions; every operation is rounded by itself.

// Combine computes y = f·a + h·b; y may be a or b.
func Combine[T Float](y, a, b []T, f, h T) { simd.Combine(y, a, b, f, h) }

// AverageSquares computes v = f·v + h·x².
func AverageSquares[T Float](v, x []T, f, h T) { simd.AverageSquares(v, x, f, h) }

// DivideByRoots computes y = f·x/(root·√v + eps); y may be x.
func DivideByRoots[T Float](y, x, v []T, f, root, eps T) {
	simd.DivideByRoots(y, x, v, f, root, eps)
}
