package lowrank

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Side is the size of one side's P.
type Side struct {
	Size int // m, rows and columns of P
	Rank int // r, 1 or more
}

// Dense reports whether P is one dense matrix: low rank saves nothing.
func (s Side) Dense() bool { return s.Size <= 2*s.Rank }

// Core is the number of rows of C.
func (s Side) Core() int {
	if s.Dense() {
		return s.Size
	}
	return s.Rank
}

// Len is the number of elements of V, C and p, which lie one after the other in φ. A
// dense side has C alone.
func (s Side) Len() int {
	n := s.Core() * s.Core()
	if !s.Dense() {
		n += s.Size*s.Rank + 1
	}
	return n
}

// Matrix is the P of a side. V, row by row, and P have no elements where it is dense.
type Matrix[T blas.Float] struct {
	Side
	V, C, P []T
}

// View is the P whose V, C and p lie in φ, of Len elements.
func View[T blas.Float](s Side, phi []T) Matrix[T] {
	if s.Dense() {
		return Matrix[T]{Side: s, C: phi}
	}
	v, c := s.Size*s.Rank, s.Size*s.Rank+s.Rank*s.Rank
	return Matrix[T]{s, phi[:v:v], phi[v:c:c], phi[c : c+1 : c+1]}
}

// Trace is the sum of the eigenvalues of P.
func (m Matrix[T]) Trace() float64 {
	sum := diagonal(m.C, m.Core())
	if !m.Dense() {
		sum += float64(m.P[0]) * float64(m.Size-m.Rank)
	}
	return sum
}

// Scale multiplies P.
func (m Matrix[T]) Scale(by T) {
	for i := range m.C {
		m.C[i] *= by
	}
	if !m.Dense() {
		m.P[0] *= by
	}
}

// SetIdentity makes P = scale·I and leaves V.
func (m Matrix[T]) SetIdentity(scale T) {
	clear(m.C)
	n := m.Core()
	for i := range n {
		m.C[i*n+i] = scale
	}
	if !m.Dense() {
		m.P[0] = scale
	}
}

// Spectrum is the least and the largest eigenvalue of P. It allocates.
func (m Matrix[T]) Spectrum() (least, largest float64, err error) {
	n := m.Core()
	a, w := make([]float64, n*n), make([]float64, n)
	for i, c := range m.C {
		a[i] = float64(c)
	}
	if err := blas.Eigen(n, a, w); err != nil {
		return math.NaN(), math.NaN(), err
	}
	least, largest = w[0], w[n-1]
	if !m.Dense() {
		p := float64(m.P[0])
		least, largest = min(least, p), max(largest, p)
	}
	return least, largest, nil
}

// Excess is K = C - pI of a side that is not dense, in the memory of k where that is
// large enough.
func (m Matrix[T]) Excess(k []T) []T {
	n := m.Core()
	k = sized(k, n*n)
	copy(k, m.C)
	for i := range n {
		k[i*n+i] -= m.P[0]
	}
	return k
}

// sized is memory of n elements, buf where that is large enough.
func sized[T any](buf []T, n int) []T {
	if cap(buf) >= n {
		return buf[:n]
	}
	return make([]T, n)
}
