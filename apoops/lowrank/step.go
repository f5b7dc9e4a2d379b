package lowrank

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Step is what a step is computed from.
type Step struct {
	Size    float64 // b, of the relative change of P
	Oja     float64 // τ, of the relative change of V
	Damping float64 // ρ
}

// Share is what a step measures of the rows: their energy ‖T‖², and that which lies in
// the columns of V.
type Share struct{ Whole, Inside float64 }

// Learner takes steps on a P. The zero value is ready; it keeps scratch memory and must
// not be used by two goroutines at once.
type Learner[T blas.Float] struct {
	rows  weighted[T]
	v     rotation[T]
	share Share

	xv    []T // of the new V
	h     []T // VᵀTᵀTV, then H
	c     []T // C in the coordinates of the new V
	a, b  []T
	power [2][]T
	keep  keeper[T]
}

// mostOja bounds the length of a column's change, relative to the column. Without it a
// column almost orthogonal to the rows would be drowned by those it is not orthogonal to.
const mostOja = 10

// steady is the largest change of C relative to it, b·‖P^½TᵀTP^½‖ ≤ 1: above it a step
// would overshoot the minimiser.
const steady = 1

// mostScale bounds the change of log p.
const mostScale = 0.5

// Step writes a P that is one step ahead of p to next: from n rows x with weights w ≥ 0,
// so that TᵀT = 1/n Σ w_i x_i x_iᵀ, and xv = X·V, see Project.
//
//	V ← orthonormal(V + τ·TᵀTV·diag(VᵀTᵀTV)⁻¹)
//	C ← (1+b/2)²·(I - gCH) C (I - gHC),  H = VᵀTᵀTV + ρI,  g = (b/2)/(1+b/2)
//	p ← p·exp(-b·(p·h - 1)),  h = (‖T‖² - ‖TV‖²)/(m - r) + ρ
//
// With C = FFᵀ the second line is F ← F(I - b/2·(FᵀHF - I)), a relative gradient step on
// tr(CH) - log det C, so that C stays positive. The first one is Oja's rule with a step
// relative to each column's energy (Oja 1982), the orthonormal basis is the nearest one,
// ·(ZᵀZ)^-½. In between C is expressed in the new basis: what the old P is there. What
// rounding does to the least eigenvalues is made good: see keeper.
//
// next and p must not overlap.
func (s *Learner[T]) Step(next, p Matrix[T], x, xv, w []T, n int, by Step) {
	r := p.Core()
	s.h, s.c = sized(s.h, r*r), sized(s.c, r*r)
	s.rows.weigh(xv, w, n, r)
	s.rows.gram(s.h, xv)
	if p.Dense() {
		copy(s.c, p.C)
		s.share.Whole = s.rows.energy(xv, w)
		s.share.Inside = s.share.Whole
		s.core(next.C, r, by)
		s.keep.keep(next.C, 0, r)
		return
	}
	s.v.turn(next.V, s.c, p, x, s.rows.scaled, s.h, n, by.Oja)
	s.xv = sized(s.xv, n*r)
	blas.Gemm(false, false, n, r, p.Size, 1, x, p.Size, next.V, r, 0, s.xv, r)
	s.rows.weigh(s.xv, w, n, r)
	s.rows.gram(s.h, s.xv)
	s.share.Inside = s.rows.energy(s.xv, w)
	s.rows.r = p.Size
	s.share.Whole = s.rows.energy(x, w)
	s.core(next.C, r, by)
	s.keep.keep(next.C, float64(p.P[0]), r)
	h := max(s.share.Whole-s.share.Inside, 0)/float64(p.Size-r) + by.Damping
	old := float64(p.P[0])
	change := -by.Size * (old*h - 1)
	next.P[0] = T(old * math.Exp(max(min(change, mostScale), -mostScale)))
}

// Share is what the last step measured. All of a dense side lies inside.
func (s *Learner[T]) Share() Share { return s.share }

// core writes the new C of the C and the VᵀTᵀTV at hand.
func (s *Learner[T]) core(next []T, r int, by Step) {
	for i := range r {
		s.h[i*r+i] += T(by.Damping)
	}
	b := min(by.Size, steady/max(s.norm(r), 1e-30))
	g := (b / 2) / (1 + b/2)
	s.a, s.b = sized(s.a, r*r), sized(s.b, r*r)
	blas.Gemm(false, false, r, r, r, T(-g), s.c, r, s.h, r, 0, s.a, r)
	for i := range r {
		s.a[i*r+i]++
	}
	blas.Gemm(false, false, r, r, r, T((1+b/2)*(1+b/2)), s.a, r, s.c, r, 0, s.b, r)
	blas.Gemm(false, true, r, r, r, 1, s.b, r, s.a, r, 0, next, r)
	for i := range r {
		for j := range i {
			mean := (next[i*r+j] + next[j*r+i]) / 2
			next[i*r+j], next[j*r+i] = mean, mean
		}
	}
}

// powerIterations estimate a norm; the estimate is never above it.
const powerIterations = 8

// norm estimates the largest eigenvalue of CH, that is of H^½CH^½, by power iterations
// on c ← CHc: with the length √(cᵀHc) that is iterating H^½CH^½ on H^½c.
func (s *Learner[T]) norm(r int) (norm float64) {
	for i := range s.power {
		s.power[i] = sized(s.power[i], r)
	}
	c, hc := s.power[0], s.power[1]
	for i := range c {
		_, part := math.Modf(float64(i) * math.Phi) // orthogonal to nothing in particular
		c[i] = T(0.5 + part)
	}
	for i := range powerIterations + 1 {
		blas.Gemm(false, false, r, 1, r, 1, s.h, r, c, 1, 0, hc, 1)
		length := math.Sqrt(max(blas.Dot(c, hc), 0))
		if !(length > 0) {
			return 0
		}
		if i > 0 {
			norm = length
		}
		blas.Scal(T(1/length), hc)
		blas.Gemm(false, false, r, 1, r, 1, s.c, r, hc, 1, 0, c, 1)
	}
	return norm
}

// weighted are rows with weights.
type weighted[T blas.Float] struct {
	scaled []T // w_i/n·x_i
	parts  []float64
	n, r   int

	x, w       []T
	scale, sum func(lo, hi int)
}

// weigh sets scaled for n rows of length r.
func (s *weighted[T]) weigh(x, w []T, n, r int) {
	if s.scale == nil {
		s.scale, s.sum = s.scaleRows, s.sumRows
	}
	s.scaled, s.n, s.r, s.x, s.w = sized(s.scaled, n*r), n, r, x, w
	par.For(n, par.RowGrain(r), s.scale)
	s.x, s.w = nil, nil
}

func (s *weighted[T]) scaleRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		w, out := s.w[i]/T(s.n), s.scaled[i*s.r:(i+1)*s.r]
		for j, v := range s.x[i*s.r : (i+1)*s.r] {
			out[j] = w * v
		}
	}
}

// gram writes 1/n Σ w_i x_i x_iᵀ for the rows that were weighed last.
func (s *weighted[T]) gram(dst, x []T) {
	blas.Gemm(true, false, s.r, s.r, s.n, 1, x, s.r, s.scaled, s.r, 0, dst, s.r)
}

// energy is 1/n Σ w_i ‖x_i‖² for rows of length r.
func (s *weighted[T]) energy(x, w []T) (sum float64) {
	s.parts, s.x, s.w = sized(s.parts, s.n), x, w
	par.For(s.n, par.RowGrain(s.r), s.sum)
	s.x, s.w = nil, nil
	for _, p := range s.parts {
		sum += p
	}
	return sum / float64(s.n)
}

func (s *weighted[T]) sumRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		x := s.x[i*s.r : (i+1)*s.r]
		s.parts[i] = float64(s.w[i]) * blas.Dot(x, x)
	}
}
