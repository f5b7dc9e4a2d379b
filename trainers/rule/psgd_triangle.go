package rule

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// triangleBlock rows or columns of an upper triangular matrix are multiplied at once, without
// the part that is 0: almost half of it, of a product of two almost two thirds.
const triangleBlock = 128

// blocks calls f with the ends of the blocks of n rows or columns.
func blocks(n int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += triangleBlock {
		f(lo, min(n, lo+triangleBlock))
	}
}

// upperLeft sets y to q·x, or with trans to qᵀ·x, for q of n×n and x of n×k.
func upperLeft[T apoops.Float](trans bool, y, q, x []T, n, k int) {
	blocks(n, func(lo, hi int) {
		if trans {
			blas.Gemm(true, false, hi-lo, k, hi, 1, q[lo:], n, x, k, 0, y[lo*k:], k)
		} else {
			blas.Gemm(false, false, hi-lo, k, n-lo, 1, q[lo*n+lo:], n, x[lo*k:], k, 0, y[lo*k:], k)
		}
	})
}

// upperRight sets y to x·q, or with trans to x·qᵀ, for x of k×n and q of n×n.
func upperRight[T apoops.Float](trans bool, y, x, q []T, n, k int) {
	blocks(n, func(lo, hi int) {
		if trans {
			blas.Gemm(false, true, k, hi-lo, n-lo, 1, x[lo:], n, q[lo*n+lo:], n, 0, y[lo:], n)
		} else {
			blas.Gemm(false, false, k, hi-lo, hi, 1, x, n, q[lo:], n, 0, y[lo:], n)
		}
	})
}

// upperProduct adds f·p·q to y, all upper triangular and n×n. Below its diagonal p is 0.
func upperProduct[T apoops.Float](y []T, f T, p, q []T, n int) {
	blocks(n, func(lo, hi int) {
		blocks(n, func(from, to int) {
			if from >= lo {
				blas.Gemm(false, false, hi-lo, to-from, to-lo, f, p[lo*n+lo:], n, q[lo*n+from:], n, 1, y[lo*n+from:], n)
			}
		})
	})
}
