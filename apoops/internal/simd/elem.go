package simd

import "unsafe"

// Float is the set of element types. Those of float32 have the vector routines, of 256
// bits at both levels: memory is no quicker for longer ones.
type Float interface{ float32 | float64 }

// single reports whether T is float32.
func single[T Float]() bool { return unsafe.Sizeof(T(0)) == unsafe.Sizeof(float32(0)) }

// fast reports whether there is a vector routine for T.
func fast[T Float]() bool { return level > Off && single[T]() }

// singles is x, which is of float32.
func singles[T Float](x []T) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// The slices of a call have the length of the first, which may be one of the others,
// too. Go's loops take four elements per iteration where that halves their time.

// Add sets y = a + b.
func Add[T Float](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	if fast[T]() {
		add(singles(y), singles(a), singles(b))
		return
	}
	i := 0
	for ; i+4 <= len(y); i += 4 {
		p, q, r := a[i:i+4:i+4], b[i:i+4:i+4], y[i:i+4:i+4]
		r[0] = p[0] + q[0]
		r[1] = p[1] + q[1]
		r[2] = p[2] + q[2]
		r[3] = p[3] + q[3]
	}
	for ; i < len(y); i++ {
		y[i] = a[i] + b[i]
	}
}

// Scale sets y = f·y.
func Scale[T Float](y []T, f T) {
	if fast[T]() {
		scale(singles(y), float32(f))
		return
	}
	for i := range y {
		y[i] *= f
	}
}

// AddScaled sets y = y + f·x, with the product rounded first.
func AddScaled[T Float](y, x []T, f T) {
	x = x[:len(y)]
	if fast[T]() {
		addScaled(singles(y), singles(x), float32(f))
		return
	}
	for i, v := range x {
		y[i] += T(f * v)
	}
}

// ReLU sets y = max(y, 0); a NaN stays one, and -0 becomes 0.
func ReLU[T Float](y []T) {
	if fast[T]() {
		relu(singles(y))
		return
	}
	for i, v := range y {
		y[i] = max(v, 0)
	}
}

// WherePositive sets dz to dy where y > 0, to 0 elsewhere.
func WherePositive[T Float](dz, y, dy []T) {
	y, dy = y[:len(dz)], dy[:len(dz)]
	if fast[T]() {
		wherePositive(singles(dz), singles(y), singles(dy))
		return
	}
	// It looks up which of the two to take: branches on random signs are mispredicted.
	for i, v := range y {
		choice, k := [2]T{0, dy[i]}, 0
		if v > 0 {
			k = 1
		}
		dz[i] = choice[k&1]
	}
}

// Affine sets y = (x - m)·f + b.
func Affine[T Float](y, x []T, m, f, b T) {
	x = x[:len(y)]
	if fast[T]() {
		affine(singles(y), singles(x), float32(m), float32(f), float32(b))
		return
	}
	i := 0
	for ; i+4 <= len(y); i += 4 {
		p, q := x[i:i+4:i+4], y[i:i+4:i+4]
		q[0] = T((p[0]-m)*f) + b
		q[1] = T((p[1]-m)*f) + b
		q[2] = T((p[2]-m)*f) + b
		q[3] = T((p[3]-m)*f) + b
	}
	for ; i < len(y); i++ {
		y[i] = T((x[i]-m)*f) + b
	}
}

// Normalise sets y = (x - mean)·inv·gain + shift; gain and shift are rows like x.
func Normalise[T Float](y, x, gain, shift []T, mean, inv T) {
	x, gain, shift = x[:len(y)], gain[:len(y)], shift[:len(y)]
	if fast[T]() {
		normalise(singles(y), singles(x), singles(gain), singles(shift), float32(mean), float32(inv))
		return
	}
	i := 0
	for ; i+4 <= len(y); i += 4 {
		u, v, g, s := y[i:i+4:i+4], x[i:i+4:i+4], gain[i:i+4:i+4], shift[i:i+4:i+4]
		u[0] = T((v[0]-mean)*inv*g[0]) + s[0]
		u[1] = T((v[1]-mean)*inv*g[1]) + s[1]
		u[2] = T((v[2]-mean)*inv*g[2]) + s[2]
		u[3] = T((v[3]-mean)*inv*g[3]) + s[3]
	}
	for ; i < len(y); i++ {
		y[i] = T((x[i]-mean)*inv*gain[i]) + shift[i]
	}
}

// NormGrad sets dx = (gain·dy - level - (x - mean)·inv·slope)·inv, the gradient of
// Normalise by x where level and slope are the means of gain·dy and of gain·dy·x̂.
func NormGrad[T Float](dx, x, dy, gain []T, mean, inv, level, slope T) {
	x, dy, gain = x[:len(dx)], dy[:len(dx)], gain[:len(dx)]
	if fast[T]() {
		normGrad(singles(dx), singles(x), singles(dy), singles(gain), float32(mean), float32(inv), float32(level), float32(slope))
		return
	}
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d, g := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4], gain[i:i+4:i+4]
		u[0] = (T(d[0]*g[0]) - level - T((v[0]-mean)*inv*slope)) * inv
		u[1] = (T(d[1]*g[1]) - level - T((v[1]-mean)*inv*slope)) * inv
		u[2] = (T(d[2]*g[2]) - level - T((v[2]-mean)*inv*slope)) * inv
		u[3] = (T(d[3]*g[3]) - level - T((v[3]-mean)*inv*slope)) * inv
	}
	for ; i < len(dx); i++ {
		dx[i] = (T(dy[i]*gain[i]) - level - T((x[i]-mean)*inv*slope)) * inv
	}
}
