package lowrank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// off is the largest element of |VᵀV - I|.
func off[T blas.Float](p Matrix[T]) float64 {
	r, v := p.Rank, doubles(p.V)
	gram := make([]float64, r*r)
	blas.Gemm(true, false, r, r, p.Size, 1, v, r, v, r, 0, gram, r)
	return offIdentity(gram, r)
}

func TestOrthonormal(t *testing.T) {
	for _, s := range []Side{{3, 1}, {65, 32}, {4609, 32}, {1001, 64}} {
		p := View(s, make([]float32, s.Len()))
		Orthonormal(p.V, s, 7)
		q := View(s, make([]float64, s.Len()))
		Orthonormal(q.V, s, 7)
		if e32, e := off(p), off(q); !(e32 < 4e-6 && e < 2e-14) {
			t.Errorf("%v: VᵀV is off I by %v, in float64 by %v", s, e32, e)
		}
		if e := apart(matrix(s.Size, s.Rank, p.V), matrix(s.Size, s.Rank, q.V)); e > 1e-5 {
			t.Errorf("%v: V of float32 is apart from that of float64 by %v", s, e)
		}
		Orthonormal(q.V, s, 8)
		if e := apart(matrix(s.Size, s.Rank, p.V), matrix(s.Size, s.Rank, q.V)); e < 0.5 {
			t.Errorf("%v: two seeds give V of the relative distance %v", s, e)
		}
	}
}

// Nothing that is not a number passes for orthonormal.
func TestOffIdentity(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		g    []float64
		want float64
	}{{[]float64{1, 0.25, -0.5, 1.125}, 0.5}, {[]float64{1, 0, 0, -1}, 2}, {[]float64{nan, 0, 0, 1}, nan}, {[]float64{3, nan, 0, 1}, nan}, {[]float64{1, 0, 9, nan}, nan}} {
		if got := offIdentity(c.g, 2); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%v is off I by %v, want %v", c.g, got, c.want)
		}
	}
}

// The root is that of the eigenvalues, whatever their spread: within the interval that the
// iteration is scaled for, below it, and all equal.
func TestInverseRoot(t *testing.T) {
	const r = 12
	rng := rand.New(rand.NewPCG(3, 1))
	q := make([]float64, r*r)
	Orthonormal(q, Side{Size: r, Rank: r}, 5)
	basis := mat.NewDense(r, r, q)
	for _, condition := range []float64{1, 3, 25, 1e3, 1e8} {
		for _, scale := range []float64{1e-6, 1, 1e6} {
			values, roots := mat.NewDense(r, r, nil), mat.NewDense(r, r, nil)
			for i := range r {
				v := scale * math.Pow(condition, -rng.Float64())
				if i < 2 {
					v = scale * math.Pow(condition, -float64(i))
				}
				values.Set(i, i, v)
				roots.Set(i, i, 1/math.Sqrt(v))
			}
			var g, want mat.Dense
			g.Product(basis, values, basis.T())
			want.Product(basis, roots, basis.T())
			got := new(inverseRoot[float64]).compute(g.RawMatrix().Data, r)
			if e := apart(matrix(r, r, got), &want); !(e < 1e-15*condition+1e-13) {
				t.Errorf("condition %v, scale %v: the root is off by %v", condition, scale, e)
			}
			if condition <= 1e3 {
				single := make([]float32, r*r)
				for i, v := range g.RawMatrix().Data {
					single[i] = float32(v)
				}
				if e := apart(matrix(r, r, new(inverseRoot[float32]).compute(single, r)), &want); !(e < 3e-7*condition+1e-5) {
					t.Errorf("condition %v, scale %v: the root in float32 is off by %v", condition, scale, e)
				}
			}
		}
	}
}

// rowsOf draws n rows whose elements have the deviations of a spectrum.
type rowsOf[T blas.Float] struct {
	name string
	draw func(rng *rand.Rand, n, m int) []T
}

// spectra are rows of many kinds: steep and flat spectra, fewer directions than columns of
// V, rows that are 0, tiny or huge.
func spectra[T blas.Float]() []rowsOf[T] {
	decaying := func(scale, power float64) func(rng *rand.Rand, n, m int) []T {
		return func(rng *rand.Rand, n, m int) []T {
			x := random[T](rng, n*m)
			for i := range x {
				x[i] *= T(scale * math.Pow(float64(1+i%m), -power))
			}
			return x
		}
	}
	return []rowsOf[T]{
		{"flat", decaying(1, 0)},
		{"1/i", decaying(1, 1)},
		{"1/i³", decaying(1, 3)},
		{"tiny", decaying(1e-8, 1)},
		{"huge", decaying(1e6, 1)},
		{"zeros", decaying(0, 0)},
		{"three directions", func(rng *rand.Rand, n, m int) []T {
			x := make([]T, n*m)
			for i := range n {
				x[i*m+(i%3)*(m-1)/2] = T(rng.NormFloat64())
			}
			return x
		}},
		{"one row", func(rng *rand.Rand, n, m int) []T {
			row, x := random[T](rand.New(rand.NewPCG(1, 1)), m), make([]T, 0, n*m)
			for range n {
				x = append(x, row...)
			}
			return x
		}},
	}
}

// learn takes steps from P = I on new rows.
func learn[T blas.Float](rng *rand.Rand, s Side, steps int, draw func(rng *rand.Rand, n, m int) []T, by Step, each func(p Matrix[T])) {
	const n = 24
	p, next := View(s, make([]T, s.Len())), View(s, make([]T, s.Len()))
	a, after := averages[T](s), averages[T](s)
	if !s.Dense() {
		Orthonormal(p.V, s, 3)
	}
	p.SetIdentity(1)
	var l Learner[T]
	var m Multiplier[T]
	xv := make([]T, n*s.Core())
	for range steps {
		x := draw(rng, n, s.Size)
		m.Project(xv, x, n, p)
		l.Step(next, after, p, a, x, xv, weights[T](rng, n), n, by)
		p, next, a, after = next, p, after, a
		each(p)
	}
}

// TestStepKeepsPositive looks at V and P after steps of all decays on rows of all kinds.
func TestStepKeepsPositive(t *testing.T) {
	testPositive[float32](t, 4e-6)
	testPositive[float64](t, 1e-13)
}

func testPositive[T blas.Float](t *testing.T, tol float64) {
	for _, s := range []Side{{40, 4}, {90, 32}, {12, 8}} {
		for _, k := range spectra[T]() {
			for _, decay := range []float64{0, 0.5, 0.9} {
				name, step := fmt.Sprintf("%T, %v, %s, decay %v", T(0), s, k.name, decay), 0
				learn(rand.New(rand.NewPCG(6, 1)), s, 60, k.draw, Step{Decay: decay, Oja: 0.5, Damping: 1e-3}, func(p Matrix[T]) {
					if step++; t.Failed() || step > 5 && step%20 != 0 {
						return
					}
					if !s.Dense() {
						if e := off(p); !(e < tol) {
							t.Errorf("%s, step %d: VᵀV is off I by %v", name, step, e)
						}
					}
					if least, largest, err := p.Spectrum(); err != nil || !(least > 0 && !math.IsInf(largest, 0)) {
						t.Errorf("%s, step %d: the eigenvalues are from %v to %v, %v", name, step, least, largest, err)
					}
				})
			}
		}
	}
}

// TestStepsStayPositive: eigenvalues so far apart that float32 does not hold C, over many
// steps, where a negative one would grow.
func TestStepsStayPositive(t *testing.T) {
	for _, s := range []Side{{90, 32}, {12, 8}} {
		for _, k := range spectra[float32]() {
			var last Matrix[float32]
			learn(rand.New(rand.NewPCG(6, 1)), s, 500, k.draw, Step{Decay: 0.9, Oja: 0.5, Damping: 1e-7}, func(p Matrix[float32]) { last = p })
			var eig mat.EigenSym
			d := dense(last)
			symmetric := mat.NewSymDense(s.Size, nil)
			for i := range s.Size {
				for j := range i + 1 {
					symmetric.SetSym(i, j, d.At(i, j))
				}
			}
			if !eig.Factorize(symmetric, false) {
				t.Fatal("no eigenvalues")
			}
			if v := eig.Values(nil); !(v[0] > 0 && v[len(v)-1] < 1e8) {
				t.Errorf("%v, %s: the eigenvalues are from %v to %v", s, k.name, v[0], v[len(v)-1])
			}
		}
	}
}

// TestWideSides: orthonormal and positive at the sizes of real layers.
func TestWideSides(t *testing.T) {
	for _, s := range []Side{{4609, 32}, {1001, 64}} {
		k := spectra[float32]()[1]
		learn(rand.New(rand.NewPCG(6, 2)), s, 6, k.draw, Step{Decay: 0.9, Oja: 0.5, Damping: 1e-3}, func(p Matrix[float32]) {
			least, _, err := p.Spectrum()
			if e := off(p); !(e < 4e-6 && least > 0 && err == nil) {
				t.Errorf("%v: VᵀV is off I by %v, the least eigenvalue %v, %v", s, e, least, err)
			}
		})
	}
}
