package lowrank

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// random fills n numbers of a normal distribution.
func random[T blas.Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

func doubles[T blas.Float](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func matrix[T blas.Float](rows, cols int, x []T) *mat.Dense {
	return mat.NewDense(rows, cols, doubles(x))
}

// dense is P as a matrix.
func dense[T blas.Float](p Matrix[T]) *mat.Dense {
	n := p.Core()
	c := matrix(n, n, p.C)
	if p.Dense() {
		return c
	}
	v := matrix(p.Size, n, p.V)
	for i := range n {
		c.Set(i, i, c.At(i, i)-float64(p.P[0]))
	}
	out := mat.NewDense(p.Size, p.Size, nil)
	out.Product(v, c, v.T())
	for i := range p.Size {
		out.Set(i, i, out.At(i, i)+float64(p.P[0]))
	}
	return out
}

// apart is the Frobenius norm of the difference relative to that of want.
func apart(got, want mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(got, want)
	return mat.Norm(&d, 2) / max(mat.Norm(want, 2), 1e-300)
}

// start is a P with a positive C that is not diagonal.
func start[T blas.Float](rng *rand.Rand, s Side) Matrix[T] {
	p := View(s, make([]T, s.Len()))
	n := s.Core()
	f := matrix(n, n, random[T](rng, n*n))
	var c mat.Dense
	c.Mul(f, f.T())
	for i := range p.C {
		p.C[i] = T(c.RawMatrix().Data[i]/float64(n) + 0)
	}
	for i := range n {
		p.C[i*n+i] += 0.1
	}
	if !s.Dense() {
		Orthonormal(p.V, s, 3)
		p.P[0] = 0.7
	}
	return p
}

var sides = []Side{{1, 1}, {2, 1}, {3, 1}, {7, 2}, {7, 4}, {30, 5}, {65, 32}, {64, 32}}

func TestMultiplierEqualsDense(t *testing.T) {
	testMultiplier[float32](t, 3e-6)
	testMultiplier[float64](t, 1e-13)
}

func testMultiplier[T blas.Float](t *testing.T, tol float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	var m Multiplier[T]
	for _, sb := range sides {
		pb := start[T](rng, sb)
		const n = 9
		x := random[T](rng, n*sb.Size)
		got, xv, q := make([]T, len(x)), make([]T, n*sb.Core()), make([]T, n)
		var want mat.Dense
		want.Mul(matrix(n, sb.Size, x), dense(pb))
		m.Rows(got, x, n, pb)
		if e := apart(matrix(n, sb.Size, got), &want); e > tol {
			t.Errorf("%T %v: X·P is off by %v", got[0], sb, e)
		}
		m.Project(xv, x, n, pb)
		m.Quadratic(q, x, xv, n, pb)
		for i := range n {
			w := mat.Dot(want.RowView(i), matrix(n, sb.Size, x).RowView(i))
			if math.Abs(float64(q[i])-w) > 10*tol*max(w, 1) {
				t.Errorf("%T %v: xᵀPx is %v, want %v", got[0], sb, q[i], w)
			}
		}
		want.Reset()
		want.Mul(dense(pb), matrix(sb.Size, n, x))
		m.Columns(got, x, n, pb)
		if e := apart(matrix(sb.Size, n, got), &want); e > tol {
			t.Errorf("%T %v: P·X is off by %v", got[0], sb, e)
		}
		if d := math.Abs(pb.Trace() - mat.Trace(dense(pb))); d > 10*tol*pb.Trace() {
			t.Errorf("%T %v: the trace is off by %v", got[0], sb, d)
		}
		for _, sa := range sides {
			pa := start[T](rng, sa)
			g := random[T](rng, sb.Size*sa.Size)
			u := make([]T, len(g))
			var want mat.Dense
			want.Product(dense(pb), matrix(sb.Size, sa.Size, g), dense(pa))
			m.Gradient(u, g, pb, pa)
			if e := apart(matrix(sb.Size, sa.Size, u), &want); e > tol {
				t.Errorf("%T %v and %v: P_B·G·P_A is off by %v", g[0], sb, sa, e)
			}
		}
	}
}

// symmetricPower is a^e of a symmetric positive matrix.
func symmetricPower(a *mat.Dense, e float64) *mat.Dense {
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range n {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(s, true) {
		panic("no eigenvalues")
	}
	var u mat.Dense
	eig.VectorsTo(&u)
	d := mat.NewDiagDense(n, nil)
	for i, v := range eig.Values(nil) {
		d.SetDiag(i, math.Pow(v, e))
	}
	var out mat.Dense
	out.Product(&u, d, u.T())
	return &out
}

// twin is Learner.Step by its equations, with decompositions.
func twin(p Matrix[float64], x, w []float64, n int, by Step) (v, c *mat.Dense, scalar float64) {
	m, r := p.Size, p.Core()
	t := mat.DenseCopyOf(matrix(n, m, x))
	for i := range n {
		for j := range m {
			t.Set(i, j, t.At(i, j)*math.Sqrt(w[i]/float64(n)))
		}
	}
	c = matrix(r, r, p.C)
	tv := t
	if !p.Dense() {
		old := matrix(m, r, p.V)
		var otv, y, gram, rot mat.Dense
		otv.Mul(t, old)
		y.Mul(t.T(), &otv)
		v = mat.DenseCopyOf(old)
		for j := range r {
			h := mat.Dot(otv.ColView(j), otv.ColView(j))
			for i := range m {
				v.Set(i, j, v.At(i, j)+by.Oja*y.At(i, j)/h)
			}
		}
		gram.Mul(v.T(), v)
		v.Mul(v, symmetricPower(&gram, -0.5))
		rot.Mul(old.T(), v)
		c.Sub(c, scaledIdentity(r, p.P[0]))
		c.Product(rot.T(), c, &rot)
		c.Add(c, scaledIdentity(r, p.P[0]))
		tv = new(mat.Dense)
		tv.Mul(t, v)
		inside, whole := mat.Norm(tv, 2), mat.Norm(t, 2)
		h := (whole*whole-inside*inside)/float64(m-r) + by.Damping
		scalar = p.P[0] * math.Exp(max(min(-by.Size*(p.P[0]*h-1), 0.5), -0.5))
	}
	// C = FFᵀ, F ← F(I - b/2·(FᵀHF - I))
	var h, e, f2 mat.Dense
	h.Mul(tv.T(), tv)
	h.Add(&h, scaledIdentity(r, by.Damping))
	f := symmetricPower(c, 0.5)
	e.Product(f.T(), &h, f)
	b := min(by.Size, 1/mat.Norm(&e, 2))
	if norm := spectral(&e); by.Size*norm > 1 {
		b = 1 / norm
	} else {
		b = by.Size
	}
	e.Sub(&e, scaledIdentity(r, 1))
	e.Scale(-b/2, &e)
	e.Add(&e, scaledIdentity(r, 1))
	f2.Mul(f, &e)
	c.Mul(&f2, f2.T())
	return v, c, scalar
}

func spectral(a *mat.Dense) float64 {
	var svd mat.SVD
	svd.Factorize(a, mat.SVDNone)
	return svd.Values(nil)[0]
}

func scaledIdentity(n int, by float64) *mat.Dense {
	d := mat.NewDense(n, n, nil)
	for i := range n {
		d.Set(i, i, by)
	}
	return d
}

// weights are positive numbers.
func weights[T blas.Float](rng *rand.Rand, n int) []T {
	w := make([]T, n)
	for i := range w {
		w[i] = T(rng.ExpFloat64())
	}
	return w
}

// TestStepEqualsDecompositions compares a step with its equations, the congruence with a
// factor among them.
func TestStepEqualsDecompositions(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, s := range sides {
		for _, size := range []float64{0.1, 0.6} {
			p := start[float64](rng, s)
			next := View(s, make([]float64, s.Len()))
			const n = 40
			x, w := random[float64](rng, n*s.Size), weights[float64](rng, n)
			for i := range x {
				x[i] /= math.Sqrt(float64(1 + i%s.Size)) // unlike energies
			}
			xv := make([]float64, n*s.Core())
			new(Multiplier[float64]).Project(xv, x, n, p)
			by := Step{Size: size, Oja: 0.2, Damping: 0.03}
			v, c, scalar := twin(p, x, w, n, by)
			var l Learner[float64]
			for range 2 { // the second time on used memory
				l.Step(next, p, x, xv, w, n, by)
			}
			if e := apart(matrix(s.Core(), s.Core(), next.C), c); e > 1e-6 {
				t.Errorf("%v, b = %v: C is off by %v", s, size, e)
			}
			if s.Dense() {
				continue
			}
			if e := apart(matrix(s.Size, s.Rank, next.V), v); e > 1e-10 {
				t.Errorf("%v: V is off by %v", s, e)
			}
			if d := math.Abs(next.P[0] - scalar); d > 1e-12*scalar {
				t.Errorf("%v: p is %v, want %v", s, next.P[0], scalar)
			}
		}
	}
}
