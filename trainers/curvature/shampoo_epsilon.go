package curvature

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Shampoo has an ε that can be learned. Its L and R are the sums without ε then, and the
// roots those of L + ε·I and R + ε·I: a new ε leaves the eigenvectors as they are and needs
// no new decomposition.
var _ tuned[float32] = (*shampoo[float32])(nil)

// spectra are the eigenvalues w of a part's L and R, as they were at its last roots, and the
// eigenvectors, the rows of u.
type spectra[T apoops.Float] struct {
	u, w   [2][]T
	stored []*tensor.Dense // both u, then both w
	eps    []float64       // one number: ε of the roots, 0 before the first
}

func newSpectra[T apoops.Float](rows, cols int) *spectra[T] {
	s := &spectra[T]{eps: []float64{0}}
	for i, n := range []int{rows, cols} {
		s.u[i], s.w[i] = make([]T, n*n), make([]T, n)
	}
	s.stored = []*tensor.Dense{array.Matrix(s.u[0], rows, rows), array.Matrix(s.u[1], cols, cols), array.Vector(s.w[0]), array.Vector(s.w[1])}
	return s
}

// put keeps the decompositions of L and R.
func (s *spectra[T]) put(kept *precision.Precision, of ...eigen) {
	for i, e := range of {
		for j, v := range e.u {
			s.u[i][j] = T(v)
		}
		for j, v := range e.w {
			s.w[i][j] = T(v)
		}
	}
	kept.Round(precision.Inverses, s.stored[:2]...)
}

// shares sets to[i] to ∂log(w + ε)/∂log ε = ε/(w + ε) of each eigenvalue of L or R. Those
// that are raised to the rounding of the largest count as fixed.
func (s *spectra[T]) shares(side int, to []T) {
	w, eps := s.w[side], s.eps[0]
	least := (float64(w[len(w)-1]) + eps) * ulp[T]()
	for i, v := range w {
		if to[i] = 0; float64(v)+eps > least {
			to[i] = T(eps / (float64(v) + eps))
		}
	}
}

func (s *spectra[T]) state(part string) []checkpoint.NamedTensor {
	return []checkpoint.NamedTensor{
		{Name: part + "basis/L", Value: s.stored[0]},
		{Name: part + "basis/R", Value: s.stored[1]},
		{Name: part + "L/eigenvalues", Value: s.stored[2]},
		{Name: part + "R/eigenvalues", Value: s.stored[3]},
		{Name: part + "root/eps", Value: array.Vector(s.eps)},
	}
}

func (k *shampoo[T]) hyperparameter() rule.Hyperparameter {
	return rule.Hyperparameter{Name: rule.Epsilon, Value: k.c.Eps}
}

func (k *shampoo[T]) tune() error {
	if k.c.Beta2 < 1 {
		return errors.Errorf("eps with beta2 = %v: averages forget the eps that they start with, only sums (beta2 = 1) keep it", k.c.Beta2)
	}
	k.eps = k.c.Eps
	for _, b := range k.blocks {
		array.Fill(b.diagonal, 0)
	}
	for _, p := range k.parts {
		array.Fill(p.l, 0)
		array.Fill(p.r, 0)
		p.spectra = newSpectra[T](p.rows, p.cols)
		p.stored = append(p.stored, p.spectra.stored...)
		k.store.precision.KeepStored(precision.Inverses, p.spectra.stored[:2]...)
	}
	return nil
}

func (k *shampoo[T]) set(value float64) { k.eps = value }

// renew computes the roots anew, of the last decompositions, where they are those of another
// ε.
func (k *shampoo[T]) renew() (failed int, err error) {
	var stale []*shampooPart[T]
	for _, p := range k.parts {
		if s := p.spectra; s != nil && s.eps[0] != 0 && s.eps[0] != k.eps {
			stale = append(stale, p)
		}
	}
	if stale == nil {
		return 0, nil
	}
	return k.rooted(stale, func(p *shampooPart[T]) error {
		s := p.spectra
		return p.putRoots(k.store.precision, eigen{float64s(s.u[0]), float64s(s.w[0])}, eigen{float64s(s.u[1]), float64s(s.w[1])}, k.eps)
	})
}

// least is a lower bound of the eigenvalues of L + ε·I and R + ε·I for any ε that roots are
// made of.
func (k *shampoo[T]) least() float64 {
	if k.eps == 0 {
		return k.c.Eps
	}
	eps := k.eps
	for _, p := range k.parts {
		if e := p.spectra.eps[0]; e != 0 {
			eps = min(eps, e)
		}
	}
	return eps
}

// tangent follows from ∂(L + ε·I)^(-1/4)/∂log ε = -¼·ε·(L + ε·I)^(-5/4): for
// d = (L + ε·I)^(-1/4)·g·(R + ε·I)^(-1/4)
//
//	∂d/∂log ε = -¼·(ε·(L + ε·I)⁻¹·d + d·ε·(R + ε·I)⁻¹)
//
// and for a diagonal d = g/√(h + ε), -½·ε/(h + ε)·d. L and R are those of the last
// decomposition. A norm that is grafted does not depend on ε: what is along d goes.
func (k *shampoo[T]) tangent(i int, t, d []T) {
	b := k.blocks[i]
	for j, h := range b.diagonal {
		t[j] = -d[j] * T(k.eps/(float64(h)+k.eps)/2)
	}
	for _, p := range b.parts {
		p.tangent(t, d)
	}
	if k.graft == nil {
		return
	}
	if size := k.inner.Product(d, d); size > 0 {
		k.graft.vec.Average(t, d, 1, T(-k.inner.Product(t, d)/size))
	}
}

// tangent sets the part's t. Before the first roots d is g.
func (p *shampooPart[T]) tangent(t, d []T) {
	s, n, m := p.spectra, p.rows, p.cols
	t, d = t[p.from:], d[p.from:]
	share := make([]T, max(n, m))
	s.shares(0, share)
	blas.Gemm(false, false, n, m, n, -0.25, s.u[0], n, d, p.stride, 0, p.half, m)
	for i := range n {
		blas.Scal(share[i], p.half[i*m:(i+1)*m])
	}
	blas.Gemm(true, false, n, m, n, 1, s.u[0], n, p.half, m, 0, t, p.stride)

	s.shares(1, share)
	blas.Gemm(false, true, n, m, m, -0.25, d, p.stride, s.u[1], m, 0, p.half, m)
	for i := range n {
		for j, x := range share[:m] {
			p.half[i*m+j] *= x
		}
	}
	blas.Gemm(false, false, n, m, m, 1, p.half, m, s.u[1], m, 1, t, p.stride)
}
