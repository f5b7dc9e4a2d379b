package simd

// The loops of batch norm's gradient over one channel of one image. Those with ReLU
// take dy where (x - mean)·f + shift > 0 and 0 elsewhere.

// BatchSums is Σ dy·(x - mean) and Σ dy.
func BatchSums[T Float](x, dy []T, mean T) (product, sum float64) {
	x = x[:len(dy)]
	if !single[T]() || len(dy) < Sequential {
		return batchSumsInFours(x, dy, mean)
	}
	var p, s Lanes
	if fast[T]() {
		batchSums(&p, &s, singles(x), singles(dy), float32(mean))
		return p.Sum(), s.Sum()
	}
	for i, d := range dy {
		p[i%len(p)] += float64(T(d * (x[i] - mean)))
		s[i%len(s)] += float64(d)
	}
	return p.Sum(), s.Sum()
}

// batchSumsInFours adds four elements up before they become float64.
func batchSumsInFours[T Float](x, dy []T, mean T) (product, sum float64) {
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d := x[i:i+4:i+4], dy[i:i+4:i+4]
		product += float64((T(d[0]*(v[0]-mean)) + T(d[1]*(v[1]-mean))) + (T(d[2]*(v[2]-mean)) + T(d[3]*(v[3]-mean))))
		sum += float64((d[0] + d[1]) + (d[2] + d[3]))
	}
	for ; i < len(dy); i++ {
		product += float64(T(dy[i] * (x[i] - mean)))
		sum += float64(dy[i])
	}
	return product, sum
}

// BatchReLUSums is BatchSums with ReLU.
func BatchReLUSums[T Float](x, dy []T, mean, f, shift T) (product, sum float64) {
	x = x[:len(dy)]
	if !single[T]() || len(dy) < Sequential {
		return batchReLUSumsInFours(x, dy, mean, f, shift)
	}
	var p, s Lanes
	if fast[T]() {
		batchReLUSums(&p, &s, singles(x), singles(dy), float32(mean), float32(f), float32(shift))
		return p.Sum(), s.Sum()
	}
	share := [2]T{0, 1}
	for i, d := range dy {
		v := x[i] - mean
		a := d * share[positive(T(v*f)+shift)&1]
		p[i%len(p)] += float64(T(a * v))
		s[i%len(s)] += float64(a)
	}
	return p.Sum(), s.Sum()
}

func batchReLUSumsInFours[T Float](x, dy []T, mean, f, shift T) (product, sum float64) {
	share := [2]T{0, 1}
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d := x[i:i+4:i+4], dy[i:i+4:i+4]
		p, q, r, s := v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		a := T(d[0] * share[positive(T(p*f)+shift)&1])
		b := T(d[1] * share[positive(T(q*f)+shift)&1])
		c := T(d[2] * share[positive(T(r*f)+shift)&1])
		e := T(d[3] * share[positive(T(s*f)+shift)&1])
		product += float64((T(a*p) + T(b*q)) + (T(c*r) + T(e*s)))
		sum += float64((a + b) + (c + e))
	}
	for ; i < len(dy); i++ {
		p := x[i] - mean
		a := T(dy[i] * share[positive(T(p*f)+shift)&1])
		product += float64(T(a * p))
		sum += float64(a)
	}
	return product, sum
}

// BatchGrad sets dx = dy·f - (x - mean)·slope - level.
func BatchGrad[T Float](dx, x, dy []T, mean, f, slope, level T) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	if fast[T]() {
		batchGrad(singles(dx), singles(x), singles(dy), float32(mean), float32(f), float32(slope), float32(level))
		return
	}
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4]
		u[0] = T(d[0]*f) - T((v[0]-mean)*slope) - level
		u[1] = T(d[1]*f) - T((v[1]-mean)*slope) - level
		u[2] = T(d[2]*f) - T((v[2]-mean)*slope) - level
		u[3] = T(d[3]*f) - T((v[3]-mean)*slope) - level
	}
	for ; i < len(dx); i++ {
		dx[i] = T(dy[i]*f) - T((x[i]-mean)*slope) - level
	}
}

// BatchReLUGrad is BatchGrad with ReLU.
func BatchReLUGrad[T Float](dx, x, dy []T, mean, f, shift, slope, level T) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	if fast[T]() {
		batchReLUGrad(singles(dx), singles(x), singles(dy), float32(mean), float32(f), float32(shift), float32(slope), float32(level))
		return
	}
	share := [2]T{0, f}
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4]
		p, q, r, s := v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		u[0] = T(d[0]*share[positive(T(p*f)+shift)&1]) - T(p*slope) - level
		u[1] = T(d[1]*share[positive(T(q*f)+shift)&1]) - T(q*slope) - level
		u[2] = T(d[2]*share[positive(T(r*f)+shift)&1]) - T(r*slope) - level
		u[3] = T(d[3]*share[positive(T(s*f)+shift)&1]) - T(s*slope) - level
	}
	for ; i < len(dx); i++ {
		p := x[i] - mean
		dx[i] = T(dy[i]*share[positive(T(p*f)+shift)&1]) - T(p*slope) - level
	}
}

// positive is 1 where z > 0, else 0: an index for a look-up, because branches on
// random signs are mispredicted.
func positive[T Float](z T) int {
	if z > 0 {
		return 1
	}
	return 0
}
