package apoops

// The loops of batch norm's gradient over one run of a channel. Four elements a
// turn save half the time; the sums of four are added up in float64.

// plainSums is Σ dy·(x - mean) and Σ dy.
func plainSums[T Float](x, dy []T, mean T) (product, sum float64) {
	x = x[:len(dy)]
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d := x[i:i+4:i+4], dy[i:i+4:i+4]
		product += float64((d[0]*(v[0]-mean) + d[1]*(v[1]-mean)) + (d[2]*(v[2]-mean) + d[3]*(v[3]-mean)))
		sum += float64((d[0] + d[1]) + (d[2] + d[3]))
	}
	for ; i < len(dy); i++ {
		product += float64(dy[i] * (x[i] - mean))
		sum += float64(dy[i])
	}
	return product, sum
}

// maskedSums is plainSums over the elements with (x - mean)·f + shift > 0.
func maskedSums[T Float](x, dy []T, mean, f, shift T) (product, sum float64) {
	x = x[:len(dy)]
	share := [2]T{0, 1}
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d := x[i:i+4:i+4], dy[i:i+4:i+4]
		p, q, r, s := v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		a := d[0] * share[positive(p*f+shift)&1]
		b := d[1] * share[positive(q*f+shift)&1]
		c := d[2] * share[positive(r*f+shift)&1]
		e := d[3] * share[positive(s*f+shift)&1]
		product += float64((a*p + b*q) + (c*r + e*s))
		sum += float64((a + b) + (c + e))
	}
	for ; i < len(dy); i++ {
		p := x[i] - mean
		a := dy[i] * share[positive(p*f+shift)&1]
		product += float64(a * p)
		sum += float64(a)
	}
	return product, sum
}

// plainNormGrad sets dx = dy·f - (x - mean)·slope - level.
func plainNormGrad[T Float](dx, x, dy []T, mean, f, slope, level T) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4]
		u[0] = d[0]*f - (v[0]-mean)*slope - level
		u[1] = d[1]*f - (v[1]-mean)*slope - level
		u[2] = d[2]*f - (v[2]-mean)*slope - level
		u[3] = d[3]*f - (v[3]-mean)*slope - level
	}
	for ; i < len(dx); i++ {
		dx[i] = dy[i]*f - (x[i]-mean)*slope - level
	}
}

// maskedNormGrad is plainNormGrad with dy = 0 but where (x - mean)·f + shift > 0.
func maskedNormGrad[T Float](dx, x, dy []T, mean, f, shift, slope, level T) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	share := [2]T{0, f}
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4]
		p, q, r, s := v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		u[0] = d[0]*share[positive(p*f+shift)&1] - p*slope - level
		u[1] = d[1]*share[positive(q*f+shift)&1] - q*slope - level
		u[2] = d[2]*share[positive(r*f+shift)&1] - r*slope - level
		u[3] = d[3]*share[positive(s*f+shift)&1] - s*slope - level
	}
	for ; i < len(dx); i++ {
		p := x[i] - mean
		dx[i] = dy[i]*share[positive(p*f+shift)&1] - p*slope - level
	}
}

// positive is 1 where z > 0, else 0: an index to look up by instead of a branch,
// for a processor cannot foresee the signs.
func positive[T Float](z T) int {
	if z > 0 {
		return 1
	}
	return 0
}
