package lowrank

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// rotation moves V.
type rotation[T blas.Float] struct {
	y, out     []T // TᵀTV, and the part of it that is orthogonal to V
	z          []T // V + Y·diag(s)
	by         []T // s
	within     []T // I + VᵀTᵀTV·diag(s), so that Z is V·within + out·diag(s)
	gram, outs []T // ZᵀZ, and that of out·diag(s)
	root, n    []T // factors of N, Z·N = V
	half       []T
	inverse    inverseRoot[T]
	v          []T
	m, r       int
	body       func(lo, hi int)
}

// turn writes the new V to next and to c what the old P is in its coordinates,
// VᵀPV = RᵀCR + p·WᵀW with R = V_oldᵀV and W = V - V_old·R: two squares, so that c is
// positive. The rows of xv times their weights are in scaled, h is VᵀTᵀTV.
func (s *rotation[T]) turn(next, c []T, p Matrix[T], x, scaled, h []T, n int, tau float64) {
	m, r := p.Size, p.Rank
	s.m, s.r, s.v = m, r, p.V
	s.y, s.out, s.z = sized(s.y, m*r), sized(s.out, m*r), sized(s.z, m*r)
	s.within, s.gram, s.outs, s.half = sized(s.within, r*r), sized(s.gram, r*r), sized(s.outs, r*r), sized(s.half, r*r)
	blas.Gemm(true, false, m, r, n, 1, x, m, scaled, r, 0, s.y, r)
	copy(s.out, s.y)
	blas.Gemm(false, false, m, r, r, -1, p.V, r, h, r, 1, s.out, r)
	blas.Gemm(true, false, r, r, m, 1, s.out, r, s.out, r, 0, s.outs, r)
	s.lengths(h, tau)
	if s.body == nil {
		s.body = s.rows
	}
	par.For(m, par.RowGrain(r), s.body)
	s.v = nil
	s.orthonormalise(next)
	// R = within·N, WᵀW = Nᵀ·outs·N
	blas.Gemm(false, false, r, r, r, 1, s.within, r, s.n, r, 0, s.gram, r)
	blas.Gemm(false, false, r, r, r, 1, p.C, r, s.gram, r, 0, s.half, r)
	blas.Gemm(true, false, r, r, r, 1, s.gram, r, s.half, r, 0, c, r)
	blas.Gemm(false, false, r, r, r, 1, s.outs, r, s.n, r, 0, s.half, r)
	blas.Gemm(true, false, r, r, r, p.P[0], s.n, r, s.half, r, 1, c, r)
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
			s.outs[i*r+j] *= s.by[i] * s.by[j]
		}
		s.within[i*r+i]++
	}
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

// orthonormalise writes Z·N, N = (ZᵀZ)^-½. Where ZᵀZ is so ill-conditioned that
// rounding shows, it does so again with the result.
func (s *rotation[T]) orthonormalise(next []T) {
	m, r := s.m, s.r
	s.n, s.root = sized(s.n, r*r), sized(s.root, r*r)
	for pass := 1; ; pass++ {
		blas.Gemm(true, false, r, r, m, 1, s.z, r, s.z, r, 0, s.gram, r)
		root, iterations := s.inverse.compute(s.gram, r)
		blas.Gemm(false, false, m, r, r, 1, s.z, r, root, r, 0, next, r)
		if pass == 1 {
			copy(s.n, root)
		} else {
			blas.Gemm(false, false, r, r, r, 1, s.n, r, root, r, 0, s.root, r)
			s.n, s.root = s.root, s.n
		}
		if iterations <= fewIterations || pass == mostPasses {
			return
		}
		copy(s.z, next)
	}
}

// mostPasses is enough for columns of the lengths that mostOja allows.
const mostPasses = 3
