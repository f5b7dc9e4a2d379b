package simd

// Sum is Σ x in float64.
func Sum[T Float](x []T) float64 {
	if !single[T]() || len(x) < Sequential {
		return sumInFours(x)
	}
	var lanes Lanes
	if fast[T]() {
		sum(&lanes, singles(x))
		return lanes.Sum()
	}
	for i, v := range x {
		lanes[i%len(lanes)] += float64(v)
	}
	return lanes.Sum()
}

// sumInFours makes four partial sums.
func sumInFours[T Float](x []T) float64 {
	var a, b, c, d float64
	for len(x) >= 4 {
		v := x[:4:4]
		a += float64(v[0])
		b += float64(v[1])
		c += float64(v[2])
		d += float64(v[3])
		x = x[4:]
	}
	for _, v := range x {
		a += float64(v)
	}
	return (a + b) + (c + d)
}

// Dot is Σ x·y in float64.
func Dot[T Float](x, y []T) (sum float64) {
	y = y[:len(x)]
	if !single[T]() || len(x) < Sequential {
		for i, v := range x {
			sum += float64(float64(v) * float64(y[i]))
		}
		return sum
	}
	var lanes Lanes
	if fast[T]() {
		dot(&lanes, singles(x), singles(y))
		return lanes.Sum()
	}
	for i, v := range x {
		lanes[i%len(lanes)] += float64(float64(v) * float64(y[i]))
	}
	return lanes.Sum()
}

// Squares is the sum of x - x0 and that of its square, in float64.
func Squares[T Float](x []T, x0 float64) (sum, square float64) {
	if !single[T]() || len(x) < Sequential {
		return squaresInFours(x, x0)
	}
	var s, q Lanes
	if fast[T]() {
		squares(&s, &q, singles(x), x0)
		return s.Sum(), q.Sum()
	}
	for i, v := range x {
		p := float64(v) - x0
		s[i%len(s)] += p
		q[i%len(q)] += float64(p * p)
	}
	return s.Sum(), q.Sum()
}

// squaresInFours makes four partial sums.
func squaresInFours[T Float](x []T, x0 float64) (sum, square float64) {
	var a, b, c, d, aa, bb, cc, dd float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		p, q, r, s := float64(v[0])-x0, float64(v[1])-x0, float64(v[2])-x0, float64(v[3])-x0
		a += p
		b += q
		c += r
		d += s
		aa += float64(p * p)
		bb += float64(q * q)
		cc += float64(r * r)
		dd += float64(s * s)
	}
	for _, v := range x[i:] {
		p := float64(v) - x0
		a += p
		aa += float64(p * p)
	}
	return (a + b) + (c + d), (aa + bb) + (cc + dd)
}

// NormSums adds dy·x̂ to dgain and dy to dshift, where x̂ = (x - mean)·inv, and returns
// Σ h and Σ h·x̂ of h = gain·dy.
func NormSums[T Float](dgain, dshift, x, dy, gain []T, mean, inv T) (sum, product float64) {
	n := len(dy)
	dgain, dshift, x, gain = dgain[:n], dshift[:n], x[:n], gain[:n]
	if !single[T]() || n < Sequential {
		return normSumsInFours(dgain, dshift, x, dy, gain, mean, inv)
	}
	var s, p Lanes
	if fast[T]() {
		normSums(&s, &p, singles(dgain), singles(dshift), singles(x), singles(dy), singles(gain), float32(mean), float32(inv))
		return s.Sum(), p.Sum()
	}
	for i, d := range dy {
		v, h := (x[i]-mean)*inv, T(d*gain[i])
		dgain[i] += T(d * v)
		dshift[i] += d
		s[i%len(s)] += float64(h)
		p[i%len(p)] += float64(T(h * v))
	}
	return s.Sum(), p.Sum()
}

// normSumsInFours adds four elements up before they become float64.
func normSumsInFours[T Float](dgain, dshift, x, dy, gain []T, mean, inv T) (sum, product float64) {
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d, g := x[i:i+4:i+4], dy[i:i+4:i+4], gain[i:i+4:i+4]
		a, b := dgain[i:i+4:i+4], dshift[i:i+4:i+4]
		p, q, r, s := (v[0]-mean)*inv, (v[1]-mean)*inv, (v[2]-mean)*inv, (v[3]-mean)*inv
		a[0] += T(d[0] * p)
		a[1] += T(d[1] * q)
		a[2] += T(d[2] * r)
		a[3] += T(d[3] * s)
		b[0] += d[0]
		b[1] += d[1]
		b[2] += d[2]
		b[3] += d[3]
		h0, h1, h2, h3 := T(d[0]*g[0]), T(d[1]*g[1]), T(d[2]*g[2]), T(d[3]*g[3])
		sum += float64((h0 + h1) + (h2 + h3))
		product += float64((T(h0*p) + T(h1*q)) + (T(h2*r) + T(h3*s)))
	}
	for ; i < len(dy); i++ {
		p, h := (x[i]-mean)*inv, T(dy[i]*gain[i])
		dgain[i] += T(dy[i] * p)
		dshift[i] += dy[i]
		sum += float64(h)
		product += float64(T(h * p))
	}
	return sum, product
}
