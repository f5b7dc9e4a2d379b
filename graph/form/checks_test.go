package form

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

var dtypes = map[tensor.Dtype]float64{tensor.Float32: 2e-6, tensor.Float64: 1e-14} // and their precision

func (c *testCase) checkFactors(t *testing.T) {
	list := c.f.Factors(c.rows, c.cols)
	if len(list) == 0 {
		t.Fatal("there are no factors")
	}
	names := make(map[string]bool)
	for _, q := range list {
		if q.Name == "" || names[q.Name] {
			t.Errorf("factor %q: the name is empty or another's", q.Name)
		}
		names[q.Name] = true
		if q.Shape.Dims() == 0 || q.Shape.TotalSize() < 1 {
			t.Errorf("factor %s has the shape %v", q.Name, q.Shape)
		}
	}
}

// checkStart wants P = rate·I, in and outside of graphs, and of one seed the same bits.
func (c *testCase) checkStart(t *testing.T) {
	for dt, tol := range dtypes {
		p, g := c.start(t, dt), c.random(dt, c.rows, c.cols)
		want := numbers(g)
		for i := range want {
			want[i] *= startRate
		}
		near(t, "P·G", multiply(p, g), want, tol)
		near(t, "P·G in a graph", c.pass(t, p.Factors(), g, g).u, want, tol)
		again := c.start(t, dt).Factors()
		for i, a := range p.Factors() {
			if !slices.Equal(numbers(a), numbers(again[i])) {
				t.Errorf("factor %d starts differently with the same seed", i)
			}
		}
	}
}

// checkMultiply compares P·G outside of graphs with that in a graph, for arrays of
// other shapes and twice, so that scratch memory holds old numbers.
func (c *testCase) checkMultiply(t *testing.T) {
	for dt, tol := range dtypes {
		p := c.perturbed(t, dt)
		for range 2 {
			g := c.random(dt, c.rows, c.cols)
			want := c.pass(t, p.Factors(), g, g).u
			near(t, "P·G", multiply(p, g), want, tol)
			flat := g.Clone().(*tensor.Dense)
			if err := flat.Reshape(c.rows * c.cols); err != nil {
				t.Fatal(err)
			}
			near(t, "P·vec G", multiply(p, flat), want, tol)
		}
	}
}

// dense is P by its columns, which the graph gives.
func (c *testCase) dense(t *testing.T, phi []*tensor.Dense) *mat.Dense {
	t.Helper()
	n := c.rows * c.cols
	p := mat.NewDense(n, n, nil)
	for j := range n {
		g := tensor.New(tensor.WithShape(c.rows, c.cols), tensor.Of(phi[0].Dtype()))
		set(g, j, 1)
		p.SetCol(j, c.pass(t, phi, g, g).u)
	}
	return p
}

// checkDense: P is linear, the same matrix for each gradient.
func (c *testCase) checkDense(t *testing.T) {
	for dt, tol := range dtypes {
		p := c.perturbed(t, dt)
		g := c.random(dt, c.rows, c.cols)
		var want mat.VecDense
		want.MulVec(c.dense(t, p.Factors()), mat.NewVecDense(c.rows*c.cols, numbers(g)))
		near(t, "P·G", multiply(p, g), want.RawVector().Data, 10*tol)
	}
}

// checkGradient compares ∂<C, P·G>/∂φ with central differences.
func (c *testCase) checkGradient(t *testing.T) {
	p := c.perturbed(t, tensor.Float64)
	g, weights := c.random(tensor.Float64, c.rows, c.cols), c.random(tensor.Float64, c.rows, c.cols)
	got := c.pass(t, p.Factors(), g, weights).dphi
	const h = 1e-5
	for k, a := range p.Factors() {
		want := make([]float64, a.DataSize())
		for i := range want {
			old := at(a, i)
			set(a, i, old+h)
			above := inner(multiply(p, g), numbers(weights))
			set(a, i, old-h)
			want[i] = (above - inner(multiply(p, g), numbers(weights))) / (2 * h)
			set(a, i, old)
		}
		near(t, "gradient by "+c.f.Factors(c.rows, c.cols)[k].Name, numbers(got[k]), want, 1e-7)
	}
}

// checkBound compares the bound with ‖P‖₂ for factors of all sizes, and wants it to
// grow with each norm.
func (c *testCase) checkBound(t *testing.T) {
	for _, size := range []float64{1e-3, 1, 30} {
		p := c.perturbed(t, tensor.Float64)
		var norms []float64
		for _, a := range p.Factors() {
			for i := range a.DataSize() {
				set(a, i, size*at(a, i))
			}
			norms = append(norms, math.Sqrt(inner(numbers(a), numbers(a))))
		}
		var svd mat.SVD
		if !svd.Factorize(c.dense(t, p.Factors()), mat.SVDNone) {
			t.Fatal("no singular values")
		}
		bound, norm := p.Bound(norms), svd.Values(nil)[0]
		if !(bound*(1+1e-12) >= norm && bound >= 1) {
			t.Errorf("factors of size %v: ‖P‖ = %v, the bound is %v", size, norm, bound)
		}
		for i := range norms {
			larger := append([]float64(nil), norms...)
			larger[i] = 10*larger[i] + 10
			if more := p.Bound(larger); !(more > bound) {
				t.Errorf("factor %d from a norm of %v to %v: the bound goes from %v to %v", i, norms[i], larger[i], bound, more)
			}
			larger[i] = math.Inf(1)
			if more := p.Bound(larger); !math.IsInf(more, 1) {
				t.Errorf("factor %d of infinite norm: the bound is %v", i, more)
			}
		}
	}
}

func (c *testCase) checkAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	for dt := range dtypes {
		p, g := c.perturbed(t, dt), c.random(dt, c.rows, c.cols)
		dst := g.Clone().(*tensor.Dense)
		if n := testing.AllocsPerRun(10, func() { p.Multiply(dst, g) }); n > 0 {
			t.Errorf("%v: Multiply allocates %v times", dt, n)
		}
	}
}

// checkRelative: the arrays are those listed, and the lookahead is P·G.
func (c *testCase) checkRelative(t *testing.T, r Relative) {
	for dt, tol := range dtypes {
		p, g := c.perturbed(t, dt), c.random(dt, c.rows, c.cols)
		l, err := r.Start(p)
		if err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string]struct {
			listed []Factor
			arrays []*tensor.Dense
		}{"φ": {r.Phi(c.rows, c.cols), l.Phi()}, "constants": {r.Constants(c.rows, c.cols), l.Constants()}} {
			if len(pair.listed) != len(pair.arrays) {
				t.Fatalf("%d arrays of %s for %d that are listed", len(pair.arrays), what, len(pair.listed))
			}
			for i, q := range pair.listed {
				if a := pair.arrays[i]; !apoops.SameShape(a.Shape(), q.Shape) || a.Dtype() != dt {
					t.Errorf("%s %s: %v of %v, listed as %v", what, q.Name, a.Dtype(), a.Shape(), q.Shape)
				}
			}
		}
		if len(l.Phi()) == 0 {
			t.Fatal("there is no φ")
		}
		near(t, "P·G", c.relativePass(t, r, l, g, g, 1).u, multiply(p, g), tol)
		names := make(map[string]bool)
		for _, a := range l.State() {
			if a.Name == "" || names[a.Name] || a.Value == nil {
				t.Errorf("the state %q has no name, another's or no value", a.Name)
			}
			names[a.Name] = true
		}
	}
}

// checkRelativeGradient compares the gradient of the relative lookahead with central
// differences along Learner.Change, one element of φ after the other.
func (c *testCase) checkRelativeGradient(t *testing.T, r Relative) {
	p := c.perturbed(t, tensor.Float64)
	g, weights := c.random(tensor.Float64, c.rows, c.cols), c.random(tensor.Float64, c.rows, c.cols)
	l, err := r.Start(p)
	if err != nil {
		t.Fatal(err)
	}
	got := c.relativePass(t, r, l, g, weights, 1).dphi
	before := cloneAll(p.Factors())
	const h = 1e-5
	for k, q := range r.Phi(c.rows, c.cols) {
		want := make([]float64, q.Shape.TotalSize())
		for i := range want {
			cost := func(by float64) float64 {
				var y []*tensor.Dense
				for _, s := range r.Phi(c.rows, c.cols) {
					y = append(y, tensor.New(tensor.WithShape(s.Shape...), tensor.Of(tensor.Float64)))
				}
				set(y[k], i, 1)
				l.Change(y, by)
				defer copyAll(p.Factors(), before)
				return inner(multiply(p, g), numbers(weights))
			}
			want[i] = (cost(h) - cost(-h)) / (2 * h)
		}
		near(t, "relative gradient by "+q.Name, numbers(got[k]), want, 1e-7)
	}
}

// checkRelativeSteps learns P by relative steps on Q/ε = λ/2·‖U‖² - <G, U> with new
// gradients: whatever they are, P = I/λ has the least Q.
func (c *testCase) checkRelativeSteps(t *testing.T, r Relative) {
	for dt := range dtypes {
		t.Run(fmt.Sprint(dt), func(t *testing.T) {
			const lambda, epsilon = 20.0, 0.5 // from 6 times the minimiser
			p := c.start(t, dt)
			l, err := r.Start(p)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 150 {
				g := c.random(dt, c.rows, c.cols)
				weights := g.Clone().(*tensor.Dense)
				for j, u := range multiply(p, g) {
					set(weights, j, epsilon*(lambda*u-at(g, j)))
				}
				out := c.relativePass(t, r, l, g, weights, epsilon)
				l.Step(Step{Number: float64(i + 1), Size: 0.1, Decay: 0.9, Epsilon: epsilon, Gradient: g, DPhi: out.dphi, Energies: out.energies})
			}
			n := c.rows * c.cols
			want := mat.NewDense(n, n, nil)
			for i := range n {
				want.Set(i, i, 1/lambda)
			}
			near(t, "P", c.dense(t, p.Factors()).RawMatrix().Data, want.RawMatrix().Data, 0.03)
		})
	}
}
