package simd

// ExpLess sets dst = f·(e^(z-m) - less): the gradient of a cross-entropy by the logits.
func ExpLess(dst, z []float32, m, less, f float64) {
	dst = dst[:len(z)]
	if expLessVector(dst, z, m, less, f) {
		return
	}
	for i, v := range z {
		dst[i] = float32(f * (Exp(float64(v)-m) - less))
	}
}

// SoftmaxGrad sets dx = y∘(dy - <y, dy>).
func SoftmaxGrad[T Float](dx, y, dy []T) {
	y, dy = y[:len(dx)], dy[:len(dx)]
	dot := Dot(y, dy)
	if fast[T]() {
		timesLess(singles(dx), singles(y), singles(dy), dot)
		return
	}
	for i, v := range y {
		dx[i] = T(float64(v) * (float64(dy[i]) - dot))
	}
}
