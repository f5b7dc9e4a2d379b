package conv

// Winograd's transforms for tiles of 4×4 results of a 3×3 kernel, of 6×6 elements
// (Lavin & Gray 2016), with the points 0, ±a, ±b and ∞ for interpolation. These
// powers of a and b are exact, and keep the rounding of float32 lower than 1 and
// 2 would:
//
//	y = Aᵀ[(G·w·Gᵀ) ⊙ (Bᵀ·x·B)]A
const (
	winoA = 0.625
	winoB = 1.5

	winoA2, winoB2 = winoA * winoA, winoB * winoB
	winoA3, winoB3 = winoA2 * winoA, winoB2 * winoB
	winoAB, winoAA = winoA2 * winoB2, winoA2 + winoB2
)

// winoInput is Bᵀ·x.
func winoInput[T Float](x0, x1, x2, x3, x4, x5 T) (t0, t1, t2, t3, t4, t5 T) {
	e, o := x4-winoB2*x2, winoA*(x3-winoB2*x1)
	p, q := x4-winoA2*x2, winoB*(x3-winoA2*x1)
	return x4 + (winoAB*x0 - winoAA*x2), e + o, e - o, p + q, p - q, x5 + (winoAB*x1 - winoAA*x3)
}

// winoResult is Aᵀ·m.
func winoResult[T Float](m0, m1, m2, m3, m4, m5 T) (y0, y1, y2, y3 T) {
	s, d := m1+m2, m1-m2
	u, v := m3+m4, m3-m4
	return m0 + (s + u), winoA*d + winoB*v, winoA2*s + winoB2*u, m5 + (winoA3*d + winoB3*v)
}

// winoResultGrad is A·y, the transpose of winoResult.
func winoResultGrad[T Float](y0, y1, y2, y3 T) (m0, m1, m2, m3, m4, m5 T) {
	e, o := y0+winoA2*y2, winoA*y1+winoA3*y3
	p, q := y0+winoB2*y2, winoB*y1+winoB3*y3
	return y0, e + o, e - o, p + q, p - q, y3
}

const (
	winoG0 = 1 / winoAB
	winoGA = 1 / (2 * winoA2 * (winoA2 - winoB2))
	winoGB = 1 / (2 * winoB2 * (winoB2 - winoA2))
)

// winoKernel is G·w.
func winoKernel[T Float](w0, w1, w2 T) (u0, u1, u2, u3, u4, u5 T) {
	e, o := winoGA*w0+winoGA*winoA2*w2, winoGA*winoA*w1
	p, q := winoGB*w0+winoGB*winoB2*w2, winoGB*winoB*w1
	return winoG0 * w0, e + o, e - o, p + q, p - q, w2
}

// winoKernelGrad is Gᵀ·u, the transpose of winoKernel.
func winoKernelGrad[T Float](u0, u1, u2, u3, u4, u5 T) (w0, w1, w2 T) {
	s, d := u1+u2, u1-u2
	p, q := u3+u4, u3-u4
	return winoG0*u0 + (winoGA*s + winoGB*p), winoGA*winoA*d + winoGB*winoB*q, u5 + (winoGA*winoA2*s + winoGB*winoB2*p)
}
