package vmath

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// Block holds a part of a row in float64. A loop over rows owns one.
type Block [128]float64

// RowMax is the largest element of z, -Inf where z holds nothing else; a NaN
// in such a row is returned. In other rows a NaN may go unseen here and comes
// up in the sum of exponentials.
func RowMax[T Float](z []T) float64 {
	m := largest(z)
	if math.IsInf(float64(m), -1) {
		for _, v := range z {
			if v != v {
				return math.NaN()
			}
		}
	}
	return float64(m)
}

func largest[T Float](z []T) T {
	if s, ok := singles(z); ok {
		return T(simd.Max(s))
	}
	m := T(math.Inf(-1))
	for _, v := range z {
		if v > m {
			m = v
		}
	}
	return m
}

// ExpRow sets dst = e^(z-m) and returns the sum of the elements before they
// are rounded to T.
func ExpRow[T Float](buf *Block, dst, z []T, m float64) (sum float64) {
	if s, ok := singles(z); ok {
		d, _ := singles(dst)
		return simd.ExpRow(d, s, m)
	}
	for len(z) > 0 {
		b := ExpBlock(buf, z, m)
		d := dst[:len(b)]
		for j, e := range b {
			d[j] = T(e)
			sum += e
		}
		dst, z = dst[len(b):], z[len(b):]
	}
	return sum
}

// ExpLess sets dst = f·(e^(z-m) - less).
func ExpLess[T Float](buf *Block, dst, z []T, m, less, f float64) {
	if s, ok := singles(z); ok {
		d, _ := singles(dst)
		simd.ExpLess(d, s, m, less, f)
		return
	}
	for len(z) > 0 {
		b := ExpBlock(buf, z, m)
		for j, e := range b {
			dst[j] = T(f * (e - less))
		}
		dst, z = dst[len(b):], z[len(b):]
	}
}

// SumExp is Σ e^(z-m).
func SumExp[T Float](buf *Block, z []T, m float64) (sum float64) {
	if s, ok := singles(z); ok {
		return simd.SumExp(s, m)
	}
	for len(z) > 0 {
		b := ExpBlock(buf, z, m)
		for _, e := range b {
			sum += e
		}
		z = z[len(b):]
	}
	return sum
}

// LogSumExp is ln Σ eᶻ, -Inf where all elements are.
func LogSumExp[T Float](buf *Block, z []T) float64 {
	m := RowMax(z)
	if math.IsInf(m, -1) {
		return m
	}
	return m + math.Log(SumExp(buf, z, m))
}

// ExpBlock returns e^(z-m) for as many of the first elements of z as buf holds.
func ExpBlock[T Float](buf *Block, z []T, m float64) []float64 {
	b := buf[:min(len(z), len(buf))]
	if s, ok := singles(z); ok {
		simd.ExpBlock(b, s[:len(b)], m)
		return b
	}
	for j, v := range z[:len(b)] {
		b[j] = float64(v) - m
	}
	Exps[T](b)
	return b
}

// ExpMinusAbs returns e^-|z| for as many of the first elements of z as buf
// holds.
func ExpMinusAbs[T Float](buf *Block, z []T) []float64 {
	b := buf[:min(len(z), len(buf))]
	for j, v := range z[:len(b)] {
		b[j] = -math.Abs(float64(v))
	}
	Exps[T](b)
	return b
}

// SigmoidBlock returns 1/(1+e⁻ᶻ) for as many of the first elements of z as buf
// holds.
func SigmoidBlock[T Float](buf *Block, z []T) []float64 {
	b := buf[:min(len(z), len(buf))]
	for j, v := range z[:len(b)] {
		b[j] = -float64(v)
	}
	Exps[T](b)
	simd.Logistic(b)
	return b
}

// Sum64 is the sum of x in float64.
func Sum64[T Float](x []T) float64 { return simd.Sum(x) }
