package rule

import (
	"math"
	"slices"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// eigenbasis follows the eigenvectors of an average P of symmetric matrices n×n, which are
// the rows of e, those of large eigenvalues first.
type eigenbasis[T apoops.Float] struct {
	n    int
	p, e []T
}

// newEigenbasis has P = 0 and e = I.
func newEigenbasis[T apoops.Float](n int) *eigenbasis[T] {
	b := &eigenbasis[T]{n: n, p: make([]T, n*n), e: make([]T, n*n)}
	array.Identity(b.e, n, 1)
	return b
}

// add is P ← beta·P + (1-beta)·g·gᵀ for g, n×k, or with trans gᵀ·g for g, k×n.
func (b *eigenbasis[T]) add(trans bool, g []T, k int, beta float64) {
	width := k
	if trans {
		width = b.n
	}
	blas.Syrk(trans, b.n, k, T(1-beta), g, width, T(beta), b.p, b.n)
}

// decompose takes the eigenvectors of P. After an error e is as before.
func (b *eigenbasis[T]) decompose() error {
	u, w := widened(b.p), make([]float64, b.n)
	if err := blas.Eigen(b.n, u, w); err != nil {
		return err
	}
	for i := range b.n { // they come with small eigenvalues first
		narrow(b.e[i*b.n:(i+1)*b.n], u[(b.n-1-i)*b.n:(b.n-i)*b.n])
	}
	return nil
}

// iterate is one step of power iteration, e ← the orthonormal rows of e·P by Gram and
// Schmidt. A part of e is added to e·P, below the rounding of P, so that no row is 0; the
// second round leaves rows orthogonal to the last bits.
func (b *eigenbasis[T]) iterate() {
	n := b.n
	p, e := widened(b.p), widened(b.e)
	trace := 0.0
	for i := range n {
		trace += p[i*n+i]
	}
	s := slices.Clone(e)
	blas.Gemm(false, false, n, n, n, 1, e, n, p, n, 1e-14*trace, s, n)
	for range 2 {
		if !orthonormalise(s, n) {
			return // P is 0
		}
	}
	narrow(b.e, s)
}

// panel is how many rows orthonormalise takes at once.
const panel = 64

// orthonormalise makes the rows of s, n×n, orthonormal, each by those before it. It is false
// where a row has no length. Rows are taken out of those of the same panel one by one, out of
// all later ones by products of matrices.
func orthonormalise(s []float64, n int) bool {
	part := make([]float64, n*min(panel, n)) // what later rows have of a panel's
	for first := 0; first < n; first += panel {
		last := min(first+panel, n)
		rows, later := s[first*n:last*n], s[last*n:]
		if !orthonormalRows(rows, last-first, n) {
			return false
		}
		if m := n - last; m > 0 {
			k := last - first
			blas.Gemm(false, true, m, k, n, 1, later, n, rows, n, 0, part, k)
			blas.Gemm(false, false, m, n, k, -1, part, k, rows, n, 1, later, n)
		}
	}
	return true
}

// orthonormalRows is orthonormalise of the first rows, row by row.
func orthonormalRows(s []float64, rows, n int) bool {
	for i := range rows {
		row := s[i*n : (i+1)*n]
		length := math.Sqrt(blas.Dot(row, row))
		if !(length > 0) || math.IsInf(length, 1) {
			return false
		}
		blas.Scal(1/length, row)
		par.For(rows-i-1, par.RowGrain(n), func(lo, hi int) {
			for j := i + 1 + lo; j < i+1+hi; j++ {
				other := s[j*n : (j+1)*n]
				blas.Axpy(-blas.Dot(row, other), row, other)
			}
		})
	}
	return true
}

func widened[T apoops.Float](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func narrow[T apoops.Float](y []T, x []float64) {
	for i, v := range x {
		y[i] = T(v)
	}
}
