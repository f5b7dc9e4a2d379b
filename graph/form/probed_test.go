package form

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// probe is the graph of a form's step from probes.
type probe struct {
	*testCase
	r              Probed
	l              ProbeLearner
	x, z, h, hyper *tensor.Dense
	step           ProbeStep
	vm             gorgonia.VM
	values         []*tensor.Dense // what the graph reads and rewrites
}

// newProbe builds it for n rows.
func newProbe(t *testing.T, c *testCase, p Preconditioner, dt tensor.Dtype, n int, damping float64) *probe {
	t.Helper()
	r := c.f.Probed()
	l, err := r.Start(p)
	if err != nil {
		t.Fatal(err)
	}
	b := &probe{testCase: c, r: r, l: l, values: l.Phi(), hyper: tensor.New(tensor.WithShape(3), tensor.Of(dt))}
	g, leaves := gorgonia.NewGraph(), 0
	input := func(a *tensor.Dense) *gorgonia.Node {
		leaves++
		return gorgonia.NewTensor(g, dt, a.Dims(), gorgonia.WithShape(a.Shape()...), gorgonia.WithName(fmt.Sprint("input", leaves)), gorgonia.WithValue(a))
	}
	in := ProbeInput{Hyper: input(b.hyper)}
	if r.Rows() {
		b.x, b.z = c.random(dt, n, c.rows), c.random(dt, n, c.cols)
		in.X, in.Z = input(b.x), input(b.z)
	} else {
		b.h = c.random(dt, c.rows, c.cols)
		in.Squares = input(b.h)
	}
	for i, a := range l.Phi() {
		if q := r.Phi(c.rows, c.cols)[i]; !apoops.SameShape(a.Shape(), q.Shape) || a.Dtype() != dt {
			t.Fatalf("φ %s: %v of %v, listed as %v", q.Name, a.Dtype(), a.Shape(), q.Shape)
		}
		in.Phi = append(in.Phi, input(a))
	}
	for i, a := range l.State() {
		if q := r.State(c.rows, c.cols)[i]; !apoops.SameShape(a.Value.Shape(), q.Shape) || a.Value.Dtype() != dt || a.Name != q.Name {
			t.Fatalf("state %s: %v of %v, listed as %s, %v", a.Name, a.Value.Dtype(), a.Value.Shape(), q.Name, q.Shape)
		}
		in.State, b.values = append(in.State, input(a.Value)), append(b.values, a.Value)
	}
	if b.step, err = r.Step(in); err != nil {
		t.Fatal(err)
	}
	b.vm = gorgonia.NewTapeMachine(g)
	b.set(damping, 0.9, 0.5)
	return b
}

// set changes d, w and τ.
func (b *probe) set(numbers ...float64) {
	for i, v := range numbers {
		set(b.hyper, i, v)
	}
}

// run takes a step, and copies it where copied is set.
func (b *probe) run(t *testing.T, copied bool) {
	t.Helper()
	b.vm.Reset()
	if err := b.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if copied {
		for i, n := range append(append(gorgonia.Nodes{}, b.step.Phi...), b.step.State...) {
			copyAll(b.values[i:i+1], []*tensor.Dense{n.Value().(*tensor.Dense)})
		}
	}
}

// spiked are deviations of which one is unlike the others, so that low rank is exact.
func spiked(at int, one, others float64) func(int) float64 {
	return func(i int) float64 {
		if i == at {
			return one
		}
		return others
	}
}

// checkProbed learns P from rows x and z of independent elements, or from the expectation
// of their squares: it goes to (F̃ + damping)⁻¹, the minimiser of Theorem 1's approximated
// objective (Corollary 2, for F is a Kronecker product).
func (c *testCase) checkProbed(t *testing.T) {
	const damping = 0.05
	for dt := range dtypes {
		p := c.start(t, dt)
		b := newProbe(t, c, p, dt, 500, damping)
		sx, sz := spiked(0, 2, 0.5), spiked(c.cols-1, 0.9, 0.3)
		var mx, mz float64
		for i := range c.rows {
			mx += sx(i) * sx(i) / float64(c.rows)
		}
		for j := range c.cols {
			mz += sz(j) * sz(j) / float64(c.cols)
		}
		for step := range 200 {
			if step == 100 {
				b.set(damping, 0.98)
			}
			b.draw(sx, sz)
			b.run(t, true)
		}
		got, n := c.dense(t, p.Factors()), c.rows*c.cols
		want := mat.NewDense(n, n, nil)
		for i := range c.rows {
			for j := range c.cols {
				f := sx(i) * sx(i) * sz(j) * sz(j)
				switch {
				case b.r.Rows():
					pi := math.Sqrt(mx / mz)
					f = (sx(i)*sx(i) + pi*math.Sqrt(damping)) * (sz(j)*sz(j) + math.Sqrt(damping)/pi)
				case b.l.Phi()[0].DataSize() == 1:
					f = mx*mz + damping
				default:
					f += damping
				}
				want.Set(i*c.cols+j, i*c.cols+j, 1/f)
			}
		}
		near(t, "P", got.RawMatrix().Data, want.RawMatrix().Data, 0.06)
	}
}

// draw makes new rows or squares.
func (b *probe) draw(sx, sz func(int) float64) {
	if b.h != nil {
		for i := range b.rows {
			for j := range b.cols {
				set(b.h, i*b.cols+j, sx(i)*sx(i)*sz(j)*sz(j))
			}
		}
		return
	}
	for k := range b.x.Shape()[0] {
		for i := range b.rows {
			set(b.x, k*b.rows+i, sx(i)*b.rng.NormFloat64())
		}
		for j := range b.cols {
			set(b.z, k*b.cols+j, sz(j)*b.rng.NormFloat64())
		}
	}
}
