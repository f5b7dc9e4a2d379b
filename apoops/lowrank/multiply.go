package lowrank

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Multiplier multiplies by P. The zero value is ready; it keeps scratch memory and
// must not be used by two goroutines at once.
type Multiplier[T blas.Float] struct {
	k, kk         []T // C - pI of B and of A
	xv, xk, small []T

	copied struct {
		dst, src []T
		body     func(lo, hi int)
	}
	rows struct {
		out, x, y, z []T
		p            float64
		m, r         int
		body         func(lo, hi int)
	}
}

// Project writes X·V for n rows X, n×r; of a dense side, whose V is I, it copies X.
func (s *Multiplier[T]) Project(dst, x []T, n int, p Matrix[T]) {
	if p.Dense() {
		s.copy(dst, x)
		return
	}
	blas.Gemm(false, false, n, p.Rank, p.Size, 1, x, p.Size, p.V, p.Rank, 0, dst, p.Rank)
}

// Rows writes X·P = p·X + (XV)(C - pI)Vᵀ for n rows X.
func (s *Multiplier[T]) Rows(dst, x []T, n int, p Matrix[T]) {
	m, r := p.Size, p.Rank
	if p.Dense() {
		blas.Gemm(false, false, n, m, m, 1, x, m, p.C, m, 0, dst, m)
		return
	}
	s.k = p.Excess(s.k)
	s.xv, s.xk = sized(s.xv, n*r), sized(s.xk, n*r)
	blas.Gemm(false, false, n, r, m, 1, x, m, p.V, r, 0, s.xv, r)
	blas.Gemm(false, false, n, r, r, 1, s.xv, r, s.k, r, 0, s.xk, r)
	s.copy(dst, x)
	blas.Gemm(false, true, n, m, r, 1, s.xk, r, p.V, r, p.P[0], dst, m)
}

// Columns writes P·X = p·X + V(C - pI)(VᵀX) for X of m×n.
func (s *Multiplier[T]) Columns(dst, x []T, n int, p Matrix[T]) {
	m, r := p.Size, p.Rank
	if p.Dense() {
		blas.Gemm(false, false, m, n, m, 1, p.C, m, x, n, 0, dst, n)
		return
	}
	s.k = p.Excess(s.k)
	s.xv, s.xk = sized(s.xv, n*r), sized(s.xk, n*r)
	blas.Gemm(true, false, r, n, m, 1, p.V, r, x, n, 0, s.xv, n)
	blas.Gemm(false, false, r, n, r, 1, s.k, r, s.xv, n, 0, s.xk, n)
	s.copy(dst, x)
	blas.Gemm(false, false, m, n, r, 1, p.V, r, s.xk, n, p.P[0], dst, n)
}

// Gradient writes P_B·G·P_A. With K = C - pI on both sides it is
//
//	p_B p_A·G + (p_B·GV_A + V_B K_B·V_BᵀGV_A) K_A·V_Aᵀ + V_B·(p_A·K_B·V_BᵀG),
//
// four products with n·m·r multiplications each, where neither side is dense.
func (s *Multiplier[T]) Gradient(dst, g []T, b, a Matrix[T]) {
	n, m := b.Size, a.Size
	if b.Dense() || a.Dense() {
		half := scratch.Get[T](n * m)
		s.Rows(half, g, n, a)
		s.Columns(dst, half, m, b)
		scratch.Put(half)
		return
	}
	r, q := b.Rank, a.Rank
	w := q + r
	s.k, s.kk = b.Excess(s.k), a.Excess(s.kk)
	s.small, s.xk = sized(s.small, r*q), sized(s.xk, r*q)
	ga, gb, left, right := scratch.Get[T](n*q), scratch.Get[T](m*r), scratch.Get[T](n*w), scratch.Get[T](m*w)
	blas.Gemm(false, false, n, q, m, 1, g, m, a.V, q, 0, ga, q)
	blas.Gemm(true, false, m, r, n, 1, g, m, b.V, r, 0, gb, r)
	blas.Gemm(true, false, r, q, n, 1, b.V, r, ga, q, 0, s.small, q)
	blas.Gemm(false, false, r, q, r, 1, s.k, r, s.small, q, 0, s.xk, q)
	blas.Gemm(false, false, n, q, r, 1, b.V, r, s.xk, q, b.P[0], ga, q)
	blas.Gemm(false, false, n, q, q, 1, ga, q, s.kk, q, 0, left, w)
	place(left[q:], b.V, n, r, w)
	place(right, a.V, m, q, w)
	blas.Gemm(false, true, m, r, r, a.P[0], gb, r, s.k, r, 0, right[q:], w)
	s.copy(dst, g)
	blas.Gemm(false, true, n, m, w, 1, left, w, right, w, b.P[0]*a.P[0], dst, m)
	scratch.Put(ga)
	scratch.Put(gb)
	scratch.Put(left)
	scratch.Put(right)
}

// place copies an n×r matrix into rows of length ld.
func place[T blas.Float](dst, src []T, n, r, ld int) {
	for i := range n {
		copy(dst[i*ld:i*ld+r], src[i*r:(i+1)*r])
	}
}

// copy is Go's copy on all cores.
func (s *Multiplier[T]) copy(dst, src []T) {
	c := &s.copied
	if c.body == nil {
		c.body = func(lo, hi int) { copy(c.dst[lo:hi], c.src[lo:hi]) }
	}
	c.dst, c.src = dst, src
	par.For(len(src), par.Grain, c.body)
	c.dst, c.src = nil, nil
}

// Quadratic writes x_nᵀ·P·x_n, at least 0, for n rows x and xv = X·V, see Project.
func (s *Multiplier[T]) Quadratic(dst, x, xv []T, n int, p Matrix[T]) {
	k := &s.rows
	if k.body == nil {
		k.body = s.quadratic
	}
	r := p.Core()
	xc := scratch.Get[T](n * r)
	blas.Gemm(false, false, n, r, r, 1, xv, r, p.C, r, 0, xc, r)
	k.out, k.x, k.y, k.z, k.p, k.m, k.r = dst, x, xv, xc, 0, p.Size, r
	if !p.Dense() {
		k.p = float64(p.P[0])
	}
	par.For(n, par.RowGrain(p.Size), k.body)
	k.out, k.x, k.y, k.z = nil, nil, nil, nil
	scratch.Put(xc)
}

func (s *Multiplier[T]) quadratic(lo, hi int) {
	k := &s.rows
	for i := lo; i < hi; i++ {
		y := k.y[i*k.r : (i+1)*k.r]
		sum := blas.Dot(y, k.z[i*k.r:(i+1)*k.r])
		if k.p != 0 {
			x := k.x[i*k.m : (i+1)*k.m]
			sum += k.p * max(blas.Dot(x, x)-blas.Dot(y, y), 0)
		}
		k.out[i] = T(max(sum, 0))
	}
}
