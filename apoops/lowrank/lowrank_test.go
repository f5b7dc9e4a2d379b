package lowrank

import (
	"fmt"
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

// averages are those before the first step.
func averages[T blas.Float](s Side) Average[T] { return ViewAverage(s, make([]T, s.AverageLen())) }

// twin is Learner.Step by its equations, with decompositions.
type twin struct {
	v, c, y, n   *mat.Dense
	p, h, count  float64
	size, inside int
}

func newTwin(p Matrix[float64]) *twin {
	m, r := p.Size, p.Core()
	k := &twin{c: matrix(r, r, p.C), n: mat.NewDense(r, r, nil), size: m, inside: r}
	if !p.Dense() {
		k.v, k.y, k.p = matrix(m, r, p.V), mat.NewDense(m, r, nil), p.P[0]
	}
	return k
}

// mix is w·a + (1-w)·b.
func mix(w float64, a, b *mat.Dense) *mat.Dense {
	var x, y mat.Dense
	x.Scale(w, a)
	y.Scale(1-w, b)
	x.Add(&x, &y)
	return &x
}

// around is Rᵀ(A - pI)R + pI.
func around(r, a *mat.Dense, p float64) *mat.Dense {
	n, _ := a.Dims()
	var x mat.Dense
	x.Sub(a, scaledIdentity(n, p))
	x.Product(r.T(), &x, r)
	x.Add(&x, scaledIdentity(n, p))
	return &x
}

func (k *twin) step(x, w []float64, n int, by Step) {
	t := mat.DenseCopyOf(matrix(n, k.size, x))
	for i := range n {
		for j := range k.size {
			t.Set(i, j, t.At(i, j)*math.Sqrt(w[i]/float64(n)))
		}
	}
	k.count++
	decay, tv := min(by.Decay, 1-1/k.count), t
	if k.v != nil {
		k.turn(t, decay, by.Oja)
		tv = new(mat.Dense)
		tv.Mul(t, k.v)
	}
	var gram mat.Dense
	gram.Mul(tv.T(), tv)
	k.n = mix(decay, k.n, &gram)
	if k.v != nil {
		inside, whole := mat.Norm(tv, 2), mat.Norm(t, 2)
		k.h = decay*k.h + (1-decay)*(whole*whole-inside*inside)/float64(k.size-k.inside)
		k.p = 1 / (k.h + by.Damping)
	}
	iterations := 1
	if k.count < 4 {
		iterations = 3
	}
	for range iterations {
		k.iterate(by.Damping)
	}
}

func (k *twin) turn(t *mat.Dense, decay, tau float64) {
	var y, gram, rot mat.Dense
	y.Product(t.T(), t, k.v)
	sum := mix(decay, k.y, &y)
	v := mat.DenseCopyOf(k.v)
	for j := range k.inside {
		h := mat.Dot(k.v.ColView(j), sum.ColView(j))
		for i := range k.size {
			v.Set(i, j, v.At(i, j)+tau*sum.At(i, j)/h)
		}
	}
	gram.Mul(v.T(), v)
	v.Mul(v, symmetricPower(&gram, -0.5))
	rot.Mul(k.v.T(), v)
	k.y = new(mat.Dense)
	k.y.Mul(sum, &rot)
	k.n, k.c, k.v = around(&rot, k.n, k.h), around(&rot, k.c, k.p), v
}

// iterate is C = FFᵀ, F ← F(I - ½(FᵀMF - I)).
func (k *twin) iterate(rho float64) {
	var m, e, f2 mat.Dense
	m.Add(k.n, scaledIdentity(k.inside, rho))
	f := symmetricPower(k.c, 0.5)
	e.Product(f.T(), &m, f)
	if norm := k.estimate(&m); norm > 1 {
		f.Scale(math.Sqrt(1/norm), f)
		e.Scale(1/norm, &e)
	}
	e.Sub(&e, scaledIdentity(k.inside, 1))
	e.Scale(-0.5, &e)
	e.Add(&e, scaledIdentity(k.inside, 1))
	f2.Mul(f, &e)
	k.c = new(mat.Dense)
	k.c.Mul(&f2, f2.T())
}

// estimate is the norm of M^½CM^½ as a step has it.
func (k *twin) estimate(m *mat.Dense) float64 {
	s := newton[float64]{m: m.RawMatrix().Data}
	return s.norm(k.c.RawMatrix().Data, k.inside)
}

// TestNormEstimate: from below, by less than the factor 2½; the iteration bears 5.
func TestNormEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for r := 1; r < 70; r++ {
		for _, spread := range []float64{0, 1, 3} {
			c, m := start[float64](rng, Side{r, r}), start[float64](rng, Side{r, r})
			for i := range m.C {
				m.C[i] /= math.Pow(float64((1+i%r)*(1+i/r)), spread)
			}
			s := newton[float64]{m: m.C}
			var cm mat.Dense
			f := symmetricPower(matrix(r, r, m.C), 0.5)
			cm.Product(f, matrix(r, r, c.C), f)
			if got, want := s.norm(c.C, r), spectral(&cm); !(got > want/2.5 && got < want*(1+1e-6)) {
				t.Errorf("r = %d, spread %v: the norm %v is estimated as %v", r, spread, want, got)
			}
		}
	}
}

// TestIterationKeepsOrder: whatever the scale of C, the eigenvalues of CM come closer to one
// another, and none is left above 1.
func TestIterationKeepsOrder(t *testing.T) {
	const r = 6
	rng := rand.New(rand.NewPCG(4, 9))
	for _, scale := range []float64{0.3, 1, 1.7, 2, 3, 100} {
		for range 10 {
			m := start[float64](rng, Side{r, r})
			q := make([]float64, r*r)
			Orthonormal(q, Side{r, r}, rng.Uint64())
			x, least, largest := mat.NewDense(r, r, nil), math.Inf(1), 0.0
			for i := range r {
				v := scale * (0.2 + 0.8*rng.Float64())
				x.Set(i, i, v)
				least, largest = min(least, v), max(largest, v)
			}
			var c, cm, xq mat.Dense
			basis, root := matrix(r, r, q), symmetricPower(matrix(r, r, m.C), -0.5)
			xq.Product(basis, x, basis.T())
			c.Product(root, &xq, root) // so that M^½CM^½ has the eigenvalues x
			next := make([]float64, r*r)
			new(newton[float64]).solve(next, c.RawMatrix().Data, m.C, 0, r, 1)
			root = symmetricPower(matrix(r, r, m.C), 0.5)
			cm.Product(root, matrix(r, r, next), root)
			var e mat.SVD
			e.Factorize(&cm, mat.SVDNone)
			v := e.Values(nil)
			if spread := v[0] / v[r-1]; !(v[0] < 1.001 && spread < largest/least) {
				t.Errorf("scale %v: the spread %v becomes %v, the largest eigenvalue %v", scale, largest/least, spread, v[0])
			}
		}
	}
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

// TestStepEqualsDecompositions compares steps with their equations, the congruence with a
// factor among them.
func TestStepEqualsDecompositions(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, s := range sides {
		for _, scale := range []float64{0.01, 1} { // some below the norm that limits the iteration
			p, a := start[float64](rng, s), averages[float64](s)
			p.Scale(scale)
			next, after := View(s, make([]float64, s.Len())), averages[float64](s)
			want := newTwin(p)
			var l Learner[float64]
			const n = 40
			xv := make([]float64, n*s.Core())
			for step := range 6 {
				x, w := random[float64](rng, n*s.Size), weights[float64](rng, n)
				for i := range x {
					x[i] /= math.Sqrt(float64(1 + i%s.Size)) // unlike energies
				}
				new(Multiplier[float64]).Project(xv, x, n, p)
				by := Step{Decay: 0.7, Oja: 0.5, Damping: 0.03}
				want.step(x, w, n, by)
				l.Step(next, after, p, a, x, xv, w, n, by)
				p, next, a, after = next, p, after, a
				compareTwin(t, fmt.Sprintf("%v, scale %v, step %d", s, scale, step), p, a, want)
			}
		}
	}
}

func compareTwin(t *testing.T, name string, p Matrix[float64], a Average[float64], want *twin) {
	t.Helper()
	r := p.Core()
	if e := apart(matrix(r, r, p.C), want.c); e > 1e-6 {
		t.Errorf("%s: C is off by %v", name, e)
	}
	want.c = matrix(r, r, p.C) // the next step is compared alone
	if e := apart(matrix(r, r, a.N), want.n); e > 1e-10 {
		t.Errorf("%s: N is off by %v", name, e)
	}
	if a.Count[0] != want.count {
		t.Errorf("%s: the count is %v", name, a.Count)
	}
	if p.Dense() {
		return
	}
	for what, c := range map[string][2]mat.Matrix{"V": {matrix(p.Size, r, p.V), want.v}, "Y": {matrix(p.Size, r, a.Y), want.y}} {
		if e := apart(c[0], c[1]); e > 1e-9 {
			t.Errorf("%s: %s is off by %v", name, what, e)
		}
	}
	for what, c := range map[string][2]float64{"p": {p.P[0], want.p}, "h": {a.H[0], want.h}} {
		if math.Abs(c[0]-c[1]) > 1e-10*c[1] {
			t.Errorf("%s: %s is %v, want %v", name, what, c[0], c[1])
		}
	}
}
