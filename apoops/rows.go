package apoops

import "math"

// scratch holds a part of a row in float64. A loop over rows owns one.
type scratch [128]float64

// rowMax is the largest element of z, -Inf where z holds nothing else; a NaN
// in such a row is returned. In other rows a NaN may go unseen here and comes
// up in the sum of exponentials.
func rowMax[T Float](z []T) float64 {
	m := T(math.Inf(-1))
	for _, v := range z {
		if v > m {
			m = v
		}
	}
	if math.IsInf(float64(m), -1) {
		for _, v := range z {
			if v != v {
				return math.NaN()
			}
		}
	}
	return float64(m)
}

// expRow sets dst = e^(z-m) and returns the sum of the elements before they
// are rounded to T.
func expRow[T Float](buf *scratch, dst, z []T, m float64) (sum float64) {
	for len(z) > 0 {
		b := expBlock(buf, z, m)
		d := dst[:len(b)]
		for j, e := range b {
			d[j] = T(e)
			sum += e
		}
		dst, z = dst[len(b):], z[len(b):]
	}
	return sum
}

// sumExp is Σ e^(z-m).
func sumExp[T Float](buf *scratch, z []T, m float64) (sum float64) {
	for len(z) > 0 {
		b := expBlock(buf, z, m)
		for _, e := range b {
			sum += e
		}
		z = z[len(b):]
	}
	return sum
}

// logSumExp is ln Σ eᶻ, -Inf where all elements are.
func logSumExp[T Float](buf *scratch, z []T) float64 {
	m := rowMax(z)
	if math.IsInf(m, -1) {
		return m
	}
	return m + math.Log(sumExp(buf, z, m))
}

// expBlock returns e^(z-m) for as many of the first elements of z as buf holds.
func expBlock[T Float](buf *scratch, z []T, m float64) []float64 {
	b := buf[:min(len(z), len(buf))]
	for j, v := range z[:len(b)] {
		b[j] = float64(v) - m
	}
	exps[T](b)
	return b
}

// expMinusAbs returns e^-|z| for as many of the first elements of z as buf
// holds.
func expMinusAbs[T Float](buf *scratch, z []T) []float64 {
	b := buf[:min(len(z), len(buf))]
	for j, v := range z[:len(b)] {
		b[j] = -math.Abs(float64(v))
	}
	exps[T](b)
	return b
}

// sigmoidBlock returns 1/(1+e⁻ᶻ) for as many of the first elements of z as buf
// holds.
func sigmoidBlock[T Float](buf *scratch, z []T) []float64 {
	b := buf[:min(len(z), len(buf))]
	for j, v := range z[:len(b)] {
		b[j] = -float64(v)
	}
	exps[T](b)
	for j, e := range b {
		b[j] = 1 / (1 + e)
	}
	return b
}
