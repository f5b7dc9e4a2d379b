package lowrank

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
)

// Step is what a step is computed from.
type Step struct {
	Decay   float64 // w, of the averages: at least 0, below 1
	Oja     float64 // τ, of the relative change of V
	Damping float64 // ρ
}

// Share is what a step measures of the rows: their energy ‖T‖², and that which lies in
// the columns of V.
type Share struct{ Whole, Inside float64 }

// Learner takes steps on a P. The zero value is ready; it keeps scratch memory and must
// not be used by two goroutines at once.
type Learner[T blas.Float] struct {
	rows   weighted[T]
	v      rotation[T]
	share  Share
	c      []T // C in the coordinates of the new V
	newton newton[T]
	keep   keeper[T]
}

// mostOja bounds the length of a column's change, relative to the column. Without it a
// column almost orthogonal to the rows would be drowned by those it is not orthogonal to.
const mostOja = 10

// The first steps take moreIterations of Newton's, as the averages change much.
const (
	firstSteps     = 3
	moreIterations = 3
)

// Step writes a P that is one step ahead of p to next, and the averages that it comes from
// to average: from n rows x with weights w ≥ 0, so that TᵀT = 1/n Σ w_i x_i x_iᵀ,
// xv = X·V, see Project, and the averages so far.
//
//	Y ← w·Y + (1-w)·TᵀTV
//	V⁺ = orthonormal(V + τ·Y·diag(VᵀY)⁻¹),  R = VᵀV⁺
//	Y ← YR,  N ← Rᵀ(N - hI)R + hI,  C ← Rᵀ(C - pI)R + pI
//	N ← w·N + (1-w)·V⁺ᵀTᵀTV⁺,  h ← w·h + (1-w)·(‖T‖² - ‖TV⁺‖²)/(m - r)
//	C ← GCGᵀ,  G = 1½I - ½CM,  M = N + ρI
//	p ← 1/(h + ρ)
//
// w is Decay, at most 1 - 1/n in step n, so that the first averages are means. The first
// line of V is Oja's rule (Oja 1982) with the averaged rows and a step relative to each
// column's energy; the orthonormal basis is the nearest one, ·(ZᵀZ)^-½. What was averaged
// or learned in the old basis is expressed in the new one.
//
// C ← GCGᵀ is one step of Newton–Schulz for M⁻¹: with C = FFᵀ and E = FᵀMF - I it is
// F ← F(I - ½E), the relative gradient step of length 1 on tr(CM) - log det C. C stays
// positive and never exceeds M⁻¹, and E goes to 0 quadratically where ‖FᵀMF‖ < 5. C is
// divided first so that the norm is at most 1. p is the minimiser itself. What rounding does to
// the least eigenvalues is made good: see keeper.
//
// next and average must not overlap p and old.
func (s *Learner[T]) Step(next Matrix[T], average Average[T], p Matrix[T], old Average[T], x, xv, w []T, n int, by Step) {
	r := p.Core()
	s.c = sized(s.c, r*r)
	count := float64(old.Count[0]) + 1
	average.Count[0] = T(count)
	decay := min(by.Decay, 1-1/count)
	iterations := 1
	if count <= firstSteps {
		iterations = moreIterations
	}
	// Of the size of the batch, so that graphs for other batches share it.
	s.rows.scaled = scratch.Get[T](n * r)
	defer func() {
		scratch.Put(s.rows.scaled)
		s.rows.scaled = nil
	}()
	s.rows.weigh(xv, w, n, r)
	if p.Dense() {
		copy(s.c, p.C)
		copy(average.N, old.N)
		s.rows.gram(average.N, xv, decay)
		s.share.Whole = s.rows.energy(xv, w)
		s.share.Inside = s.share.Whole
		s.newton.solve(next.C, s.c, average.N, by.Damping, r, iterations)
		s.keep.keep(next.C, 0, r)
		return
	}
	s.v.turn(turned[T]{next.V, average.Y, average.N, s.c}, p, old, x, s.rows.scaled, n, decay, by.Oja)
	turnedRows := scratch.Get[T](n * r)
	blas.Gemm(false, false, n, r, p.Size, 1, x, p.Size, next.V, r, 0, turnedRows, r)
	s.rows.weigh(turnedRows, w, n, r)
	s.rows.gram(average.N, turnedRows, decay)
	s.share.Inside = s.rows.energy(turnedRows, w)
	scratch.Put(turnedRows)
	s.rows.r = p.Size
	s.share.Whole = s.rows.energy(x, w)
	outside := max(s.share.Whole-s.share.Inside, 0) / float64(p.Size-r)
	h := decay*float64(old.H[0]) + (1-decay)*outside
	average.H[0] = T(h)
	next.P[0] = T(1 / (h + by.Damping))
	s.newton.solve(next.C, s.c, average.N, by.Damping, r, iterations)
	s.keep.keep(next.C, float64(next.P[0]), r)
}

// Share is what the last step measured. All of a dense side lies inside.
func (s *Learner[T]) Share() Share { return s.share }
