package rule

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// triangle is a factor Q of PSGD for a side of n: upper triangular, n×n, or the n numbers of
// a diagonal. Those on the diagonal stay above 0.
type triangle[T apoops.Float] struct {
	n        int
	diagonal bool
	q        []T
}

// newTriangle has Q = I.
func newTriangle[T apoops.Float](n int, diagonal bool) *triangle[T] {
	f := &triangle[T]{n: n, diagonal: diagonal}
	if diagonal {
		f.q = make([]T, n)
		array.Fill(f.q, 1)
	} else {
		f.q = make([]T, n*n)
		array.Identity(f.q, n, 1)
	}
	return f
}

// left sets y to Q·x, or with trans to Qᵀ·x, of n×k.
func (f *triangle[T]) left(trans bool, y, x []T, k int) {
	if !f.diagonal {
		upperLeft(trans, y, f.q, x, f.n, k)
		return
	}
	par.For(f.n, par.RowGrain(k), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := i * k; j < (i+1)*k; j++ {
				y[j] = f.q[i] * x[j]
			}
		}
	})
}

// right sets y to x·Q, or with trans to x·Qᵀ, of k×n.
func (f *triangle[T]) right(trans bool, y, x []T, k int) {
	if !f.diagonal {
		upperRight(trans, y, x, f.q, f.n, k)
		return
	}
	par.For(k, par.RowGrain(f.n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j, v := range f.q {
				y[i*f.n+j] = v * x[i*f.n+j]
			}
		}
	})
}

// solveBlock rows or columns are solved for one by one before a product takes them off the
// others.
const solveBlock = 64

// solveLeft is x ← Q⁻ᵀ·x of n×k.
func (f *triangle[T]) solveLeft(x []T, k int) {
	n := f.n
	if f.diagonal {
		par.For(n, par.RowGrain(k), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				divide(x[i*k:(i+1)*k], f.q[i])
			}
		})
		return
	}
	for lo := 0; lo < n; lo += solveBlock {
		hi := min(n, lo+solveBlock)
		par.For(k, solveBlock, func(from, to int) {
			for i := lo; i < hi; i++ {
				row := x[i*k+from : i*k+to]
				divide(row, f.q[i*n+i])
				for l := i + 1; l < hi; l++ {
					blas.Axpy(-f.q[i*n+l], row, x[l*k+from:l*k+to])
				}
			}
		})
		if hi < n {
			blas.Gemm(true, false, n-hi, k, hi-lo, -1, f.q[lo*n+hi:], n, x[lo*k:hi*k], k, 1, x[hi*k:], k)
		}
	}
}

// solveRight is x ← x·Q⁻¹ of k×n.
func (f *triangle[T]) solveRight(x []T, k int) {
	n := f.n
	if f.diagonal {
		par.For(k, par.RowGrain(n), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for j, v := range f.q {
					x[i*n+j] /= v
				}
			}
		})
		return
	}
	for lo := 0; lo < n; lo += solveBlock {
		hi := min(n, lo+solveBlock)
		par.For(k, par.RowGrain(solveBlock*solveBlock), func(from, to int) {
			for i := from; i < to; i++ {
				row := x[i*n : (i+1)*n]
				for j := lo; j < hi; j++ {
					row[j] /= f.q[j*n+j]
					blas.Axpy(-row[j], f.q[j*n+j+1:j*n+hi], row[j+1:hi])
				}
			}
		})
		if hi < n {
			blas.Gemm(false, false, k, n-hi, hi-lo, -1, x[lo:], n, f.q[lo*n+hi:], n, 1, x[hi:], n)
		}
	}
}

func divide[T apoops.Float](x []T, by T) {
	for i := range x {
		x[i] /= by
	}
}

// tensor is Q with its shape.
func (f *triangle[T]) tensor() *tensor.Dense {
	if f.diagonal {
		return array.Vector(f.q)
	}
	return array.Matrix(f.q, f.n, f.n)
}

// scale multiplies Q by a number.
func (f *triangle[T]) scale(by float64) { blas.Scal(T(by), f.q) }

// largest is the largest |q|.
func (f *triangle[T]) largest() (most float64) {
	for _, v := range f.q {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// move is Q ← Q - rate·triu(a·aᵀ - b·bᵀ)·Q/‖a·aᵀ + b·bᵀ‖ for a and b, n×k, or with trans the
// same of aᵀ·a and bᵀ·b for k×n. It is false, and Q as before, where that is not finite.
func (f *triangle[T]) move(trans bool, a, b []T, k int, rate float64, w *kronWork[T]) bool {
	if f.diagonal {
		return f.moveDiagonal(trans, a, b, k, rate, w)
	}
	n, width := f.n, k
	if trans {
		width = n
	}
	s, d, before := w.sum[:n*n], w.difference[:n*n], w.before[:n*n]
	blas.Syrk(trans, n, k, 1, a, width, 0, d, n)
	blas.Syrk(trans, n, k, 1, b, width, 0, s, n)
	par.For(n*n, par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			s[i], d[i] = d[i]+s[i], d[i]-s[i]
		}
	})
	norm := w.eigenvalue(s, n)
	if !(norm > 0) || math.IsInf(norm, 1) {
		return false
	}
	par.For(n, par.RowGrain(n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := d[i*n : (i+1)*n]
			clear(row[:i])
			for j := i; j < n; j++ {
				row[j] = T(float64(row[j]) / norm)
			}
		}
	})
	copy(before, f.q)
	upperProduct(f.q, T(-rate), d, before, n)
	return true
}

func (f *triangle[T]) moveDiagonal(trans bool, a, b []T, k int, rate float64, w *kronWork[T]) bool {
	// Element l of line i is at i·across + l·along.
	across, along := k, 1
	if trans {
		across, along = 1, f.n
	}
	s, d := w.sums[:f.n], w.differences[:f.n]
	par.For(f.n, par.RowGrain(k), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var p, m float64
			for l := range k {
				x, y := float64(a[i*across+l*along]), float64(b[i*across+l*along])
				p, m = p+x*x, m+y*y
			}
			s[i], d[i] = p+m, p-m
		}
	})
	norm := 0.0
	for _, v := range s {
		if norm = max(norm, v); math.IsNaN(norm) {
			break
		}
	}
	if !(norm > 0) || math.IsInf(norm, 1) {
		return false
	}
	for i, v := range d {
		f.q[i] -= T(rate * v / norm * float64(f.q[i]))
	}
	return true
}
