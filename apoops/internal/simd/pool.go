package simd

// MaxPairs sets y to the maxima of windows of 2×2 side by side: y[i] is that of the
// elements 2i and 2i+1 of a and of b, NaN if one of them is.
func MaxPairs[T Float](y, a, b []T) {
	a, b = a[:2*len(y)], b[:2*len(y)]
	if fast[T]() {
		maxPairs(singles(y), singles(a), singles(b))
		return
	}
	for i := range y {
		p, q := a[2*i:2*i+2:2*i+2], b[2*i:2*i+2:2*i+2]
		y[i] = max(max(p[0], p[1]), max(q[0], q[1]))
	}
}

// MaxPairsGrad sets da and db to the gradient of MaxPairs by a and b: dy[i] at the first
// element that equals y[i], of a's two and then of b's, else at b's second; 0 at the others.
func MaxPairsGrad[T Float](da, db, a, b, y, dy []T) {
	n := 2 * len(y)
	da, db, a, b, dy = da[:n], db[:n], a[:n], b[:n], dy[:len(y)]
	if fast[T]() {
		maxPairsGrad(singles(y), singles(dy), singles(a), singles(b), singles(da), singles(db))
		return
	}
	// It looks up dy or 0: branches on the place of a maximum are mispredicted.
	for i, m := range y {
		choice, open := [2]T{0, dy[i]}, 1
		p, q := a[2*i:2*i+2:2*i+2], b[2*i:2*i+2:2*i+2]
		dp, dq := da[2*i:2*i+2:2*i+2], db[2*i:2*i+2:2*i+2]
		k := same(p[0], m)
		dp[0] = choice[k&1]
		open &^= k
		k = same(p[1], m) & open
		dp[1] = choice[k&1]
		open &^= k
		k = same(q[0], m) & open
		dq[0] = choice[k&1]
		open &^= k
		dq[1] = choice[open&1]
	}
}

// same is 1 where a equals b, else 0.
func same[T Float](a, b T) int {
	if a == b {
		return 1
	}
	return 0
}
