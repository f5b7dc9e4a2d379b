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
	y, n *mat.Dense // the averages, nil at first
	h    float64
	t    int // steps so far
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

// step goes towards (E TᵀT + ρI)⁻¹ for the rows x, TᵀT = xᵀx/n: Oja's rule with steps τ
// for V, the congruence for C, averages of the decay, see lowrank.Learner.
func (s *halfSide) step(x *mat.Dense, decay, tau, rho float64) {
	n, m := x.Dims()
	s.t++
	decay = min(decay, 1-1/float64(s.t))
	t := s.scaled(1/math.Sqrt(float64(n)), x)
	s.turn(t, decay, tau)
	tv := s.mul(t, s.v)
	gram := s.mul(tv.T(), tv)
	s.n = s.average(decay, s.n, gram)
	rest := max(squares(t)-mat.Trace(gram), 0) / float64(m-gram.RawMatrix().Rows)
	h := mat.NewDense(1, 1, []float64{decay*s.h + (1-decay)*rest})
	s.h = s.round(h).At(0, 0)
	p := mat.NewDense(1, 1, []float64{1 / (s.h + rho)})
	s.p = s.round(p).At(0, 0)
	one := identity(gram.RawMatrix().Rows)
	target := s.add(s.n, rho, one)
	iterations := 1
	if s.t < 4 {
		iterations = 3
	}
	for range iterations {
		if norm := largest(s.c, target); norm > 1 {
			s.c = s.scaled(1/norm, s.c)
		}
		g := s.add(s.scaled(1.5, one), -0.5, s.mul(s.c, target))
		c := s.mul(s.mul(g, s.c), g.T())
		s.c = s.scaled(0.5, s.add(c, 1, c.T()))
	}
	s.keep()
}

// turn moves V by the average of TᵀTV.
func (s *halfSide) turn(t *mat.Dense, decay, tau float64) {
	m, r := s.v.Dims()
	y := s.average(decay, s.y, s.mul(t.T(), s.mul(t, s.v)))
	h := s.mul(s.v.T(), y)
	z := mat.NewDense(m, r, nil)
	z.Apply(func(_, j int, v float64) float64 { return v * tau / max(h.At(j, j), 1e-30) }, y)
	next := s.orthonormal(s.add(s.v, 1, s.round(z)))
	turned := s.mul(s.v.T(), next)
	w := s.add(next, -1, s.mul(s.v, turned))
	outside := s.mul(w.T(), w)
	s.c = s.add(s.mul(turned.T(), s.mul(s.c, turned)), s.p, outside)
	if s.n != nil {
		s.n = s.add(s.mul(turned.T(), s.mul(s.n, turned)), s.h, outside)
	}
	s.v, s.y = next, s.mul(y, turned)
}

// average is decay·sum + (1-decay)·x, x where there is no sum yet.
func (s *halfSide) average(decay float64, sum, x *mat.Dense) *mat.Dense {
	if sum == nil {
		return x
	}
	return s.add(s.scaled(decay, sum), 1-decay, x)
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

// largest is the largest eigenvalue of CH by the power iterations of package lowrank, for the
// length of a step.
func largest(c, h *mat.Dense) (norm float64) {
	r, _ := c.Dims()
	x := mat.NewVecDense(r, nil)
	for i := range r {
		_, part := math.Modf(float64(i) * math.Phi)
		x.SetVec(i, 0.5+part)
	}
	for i := range 9 {
		var y mat.VecDense
		y.MulVec(h, x)
		length := math.Sqrt(max(mat.Dot(x, &y), 0))
		if !(length > 0) {
			return 0
		}
		if i > 0 {
			norm = length
		}
		y.ScaleVec(1/length, &y)
		x.MulVec(c, &y)
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
