package lowrank

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// rotation moves V.
type rotation[T blas.Float] struct {
	y, out []T // the average of TᵀTV, and the part of it that is orthogonal to V
	z      []T // V + Y·diag(s)
	h      []T // VᵀY
	by     []T // s
	within []T // I + VᵀY·diag(s), so that Z is V·within + out·diag(s)
	outs   []T // the Gram matrix of out·diag(s)
	turned []T // R
	half   []T
	basis  basis[T]
	v      []T
	m, r   int
	body   func(lo, hi int)
}

// turned are the results of turn: the new V, and in its coordinates the average Y of
// TᵀTV, what N was and what C was.
type turned[T blas.Float] struct{ v, y, n, c []T }

// turn moves V to the subspace of the averaged rows. In the coordinates of the new V the
// old P is VᵀPV = RᵀCR + p·WᵀW with R = V_oldᵀV and W = V - V_old·R: two squares, so that
// it stays positive; N likewise. The rows of X·V times their weights are in scaled.
func (s *rotation[T]) turn(next turned[T], p Matrix[T], old Average[T], x, scaled []T, n int, decay, tau float64) {
	m, r := p.Size, p.Rank
	s.m, s.r, s.v = m, r, p.V
	s.y, s.out, s.z = scratch.Get[T](m*r), scratch.Get[T](m*r), scratch.Get[T](m*r)
	s.h, s.within, s.turned = sized(s.h, r*r), sized(s.within, r*r), sized(s.turned, r*r)
	s.outs, s.half = sized(s.outs, r*r), sized(s.half, r*r)
	copy(s.y, old.Y)
	blas.Gemm(true, false, m, r, n, T(1-decay), x, m, scaled, r, T(decay), s.y, r)
	blas.Gemm(true, false, r, r, m, 1, p.V, r, s.y, r, 0, s.h, r)
	// V depends on the directions of the rows alone: units of energy in which the
	// columns of V have the mean 1 keep squares in range.
	unit := T(0)
	if mean := diagonal(s.h, r) / float64(r); mean > 1e-30 {
		unit = T(1 / mean)
	}
	copy(s.out, s.y)
	blas.Gemm(false, false, m, r, r, -unit, p.V, r, s.h, r, unit, s.out, r)
	blas.Scal(unit, s.h)
	blas.Gemm(true, false, r, r, m, 1, s.out, r, s.out, r, 0, s.outs, r)
	s.lengths(s.h, tau)
	for j := range s.by {
		s.by[j] *= unit
	}
	if s.body == nil {
		s.body = s.rows
	}
	par.For(m, par.RowGrain(r), s.body)
	s.v = nil
	root := s.basis.orthonormalise(next.v, s.z, m, r)
	// R = within·N, WᵀW = Nᵀ·outs·N
	blas.Gemm(false, false, r, r, r, 1, s.within, r, root, r, 0, s.turned, r)
	blas.Gemm(false, false, r, r, r, 1, s.outs, r, root, r, 0, s.half, r)
	blas.Gemm(true, false, r, r, r, 1, root, r, s.half, r, 0, s.outs, r)
	blas.Gemm(false, false, m, r, r, 1, s.y, r, s.turned, r, 0, next.y, r)
	s.express(next.c, p.C, p.P[0])
	s.express(next.n, old.N, old.H[0])
	scratch.Put(s.y)
	scratch.Put(s.out)
	scratch.Put(s.z)
}

// express writes RᵀCR + p·WᵀW, with WᵀW in outs.
func (s *rotation[T]) express(next, c []T, p T) {
	r := s.r
	blas.Gemm(false, false, r, r, r, 1, c, r, s.turned, r, 0, s.half, r)
	copy(next, s.outs)
	blas.Gemm(true, false, r, r, r, 1, s.turned, r, s.half, r, p, next, r)
}

// lengths sets s_j = τ/h_jj, less where column j would change by more than mostOja of its
// length, and what follows from it in V's coordinates.
func (s *rotation[T]) lengths(h []T, tau float64) {
	r := s.r
	s.by = sized(s.by, r)
	for j := range r {
		length := float64(s.outs[j*r+j])
		for i := range r {
			length += float64(h[i*r+j]) * float64(h[i*r+j])
		}
		by := tau / max(float64(h[j*r+j]), 1e-30)
		if change := by * math.Sqrt(max(length, 0)); change > mostOja {
			by *= mostOja / change
		}
		s.by[j] = T(by)
	}
	for i := range r {
		for j := range r {
			s.within[i*r+j] = h[i*r+j] * s.by[j]
			s.outs[i*r+j] = s.outs[i*r+j] * s.by[i] * s.by[j]
		}
		s.within[i*r+i]++
	}
}

func diagonal[T blas.Float](h []T, r int) (sum float64) {
	for i := range r {
		sum += float64(h[i*r+i])
	}
	return sum
}

// rows computes rows [lo, hi) of Z.
func (s *rotation[T]) rows(lo, hi int) {
	for i := lo; i < hi; i++ {
		v, y, z := s.v[i*s.r:(i+1)*s.r], s.y[i*s.r:(i+1)*s.r], s.z[i*s.r:(i+1)*s.r]
		for j, by := range s.by {
			z[j] = v[j] + by*y[j]
		}
	}
}
