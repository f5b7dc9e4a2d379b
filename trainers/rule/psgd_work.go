package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// kronWork is scratch memory for the largest parameter and factor.
type kronWork[T apoops.Float] struct {
	x, a, b, half           []T // of parameters
	sum, difference, before []T // of triangular factors
	vector                  []T
	image                   []float64
	sums, differences       []float64 // of diagonal factors
}

// fit makes room for a parameter of that size and its factors.
func (w *kronWork[T]) fit(size int, factors []*triangle[T]) {
	for _, v := range []*[]T{&w.x, &w.a, &w.b, &w.half} {
		*v = grown(*v, size)
	}
	for _, f := range factors {
		if f.diagonal {
			w.sums, w.differences = grown(w.sums, f.n), grown(w.differences, f.n)
			continue
		}
		w.sum, w.difference, w.before = grown(w.sum, f.n*f.n), grown(w.difference, f.n*f.n), grown(w.before, f.n*f.n)
		w.vector, w.image = grown(w.vector, f.n), grown(w.image, f.n)
	}
}

func grown[V any](x []V, n int) []V {
	if len(x) < n {
		return make([]V, n)
	}
	return x
}

// eigenvalue bounds the largest eigenvalue of s, n×n, symmetric and positive semidefinite,
// from below: two steps of power iteration from the column of the largest norm, so that the
// bound is at least that norm. It is not finite where s is not.
func (w *kronWork[T]) eigenvalue(s []T, n int) float64 {
	image := w.image[:n]
	par.For(n, par.RowGrain(n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			image[i] = 0
			for _, v := range s[i*n : (i+1)*n] {
				image[i] += float64(v) * float64(v)
			}
		}
	})
	column := 0
	for i, v := range image {
		if math.IsNaN(v) || math.IsInf(v, 1) {
			return math.Inf(1)
		}
		if v > image[column] {
			column = i
		}
	}
	norm := math.Sqrt(image[column])
	for i, v := range s[column*n : (column+1)*n] {
		image[i] = float64(v)
	}
	for range 2 {
		if norm == 0 {
			return 0
		}
		norm = w.iterate(s, n, norm)
	}
	return norm
}

// iterate is image ← s·image/norm, with the norm of what it was, and returns that of the new.
func (w *kronWork[T]) iterate(s []T, n int, norm float64) float64 {
	x, y := w.vector[:n], w.image[:n]
	for i, v := range y {
		x[i] = T(v / norm)
	}
	par.For(n, par.RowGrain(n), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = blas.Dot(s[i*n:(i+1)*n], x)
		}
	})
	sum := 0.0
	for _, v := range y {
		sum += v * v
	}
	return math.Sqrt(sum)
}
