package experiments

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// halfSide is one side of the low-rank form, P = p(I - VVᵀ) + VCVᵀ, with the steps of
// package lowrank in an arithmetic: every factor and every product is rounded, what
// decides about the length of a step and about C's least eigenvalue is not.
type halfSide struct {
	arithmetic
	v, c *mat.Dense
	p    float64
}

// orthonormal is Z(ZᵀZ)^-½ by the coupled Newton–Schulz iteration, twice.
func (s *halfSide) orthonormal(z *mat.Dense) *mat.Dense {
	for range 2 {
		gram := s.mul(z.T(), z)
		r, _ := gram.Dims()
		scale := mat.Norm(gram, 1)
		y, w := s.scaled(1/scale, gram), identity(r)
		for range 14 {
			t := s.add(s.scaled(1.5, identity(r)), -0.5, s.mul(w, y))
			y, w = s.mul(y, t), s.mul(t, w)
		}
		z = s.mul(z, s.scaled(1/math.Sqrt(scale), w))
	}
	return z
}

// step goes towards (TᵀT + ρI)⁻¹ for the rows x, TᵀT = xᵀx/n: Oja's rule with steps τ
// for V, the congruence with steps b for C, see lowrank.Learner.
func (s *halfSide) step(x *mat.Dense, b, tau, rho float64) {
	n, m := x.Dims()
	t := s.scaled(1/math.Sqrt(float64(n)), x)
	tv := s.mul(t, s.v)
	h := s.mul(tv.T(), tv)
	y := s.mul(t.T(), tv)
	r, _ := h.Dims()
	z := mat.NewDense(m, r, nil)
	z.Apply(func(_, j int, v float64) float64 { return v * tau / max(h.At(j, j), 1e-30) }, y)
	next := s.orthonormal(s.add(s.v, 1, s.round(z)))
	turned := s.mul(s.v.T(), next)
	w := s.add(next, -1, s.mul(s.v, turned))
	s.c = s.add(s.mul(turned.T(), s.mul(s.c, turned)), s.p, s.mul(w.T(), w))
	s.v = next
	tv = s.mul(t, s.v)
	gram := s.mul(tv.T(), tv)
	h = s.add(gram, rho, identity(r))
	b = min(b, 1/max(largest(s.c, h), 1e-30))
	g := (b / 2) / (1 + b/2)
	a := s.add(identity(r), -g, s.mul(s.c, h))
	c := s.scaled((1+b/2)*(1+b/2), s.mul(s.mul(a, s.c), a.T()))
	s.c = s.scaled(0.5, s.add(c, 1, c.T()))
	rest := max(squares(t)-mat.Trace(gram), 0)/float64(m-r) + rho
	p := mat.NewDense(1, 1, []float64{s.p * math.Exp(max(min(-b*(s.p*rest-1), 0.5), -0.5))})
	s.p = s.round(p).At(0, 0)
	s.keep()
}

// keep raises the eigenvalues of C where rounding left some that are not positive.
func (s *halfSide) keep() {
	r, _ := s.c.Dims()
	top := s.p
	for i := range r {
		top = max(top, s.c.At(i, i))
	}
	by := top * s.unit()
	for range 30 {
		if _, ok := (arithmetic{exact: true}).inverse(s.add(s.c, -by, identity(r))); ok {
			return
		}
		s.c = s.add(s.c, by, identity(r))
	}
}

// largest is the largest eigenvalue of CH by power iterations, for the length of a step.
func largest(c, h *mat.Dense) (norm float64) {
	r, _ := c.Dims()
	x := mat.NewVecDense(r, nil)
	for i := range r {
		_, part := math.Modf(float64(i) * math.Phi)
		x.SetVec(i, 0.5+part)
	}
	for range 9 {
		var y, z mat.VecDense
		y.MulVec(h, x)
		z.MulVec(c, &y)
		if norm = mat.Norm(&z, 2) / mat.Norm(x, 2); !(norm > 0) {
			return 0
		}
		x.ScaleVec(1/mat.Norm(&z, 2), &z)
	}
	return norm
}

func squares(x *mat.Dense) float64 {
	f := mat.Norm(x, 2)
	return f * f
}

// times is X·P = p·X + (XV)(C - pI)Vᵀ.
func (s *halfSide) times(x *mat.Dense) *mat.Dense {
	r, _ := s.c.Dims()
	core := s.add(s.c, -s.p, identity(r))
	return s.add(s.mul(s.mul(s.mul(x, s.v), core), s.v.T()), s.p, x)
}
