package form

import (
	"fmt"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// afterSteps is a P with its learner after so many relative steps of Q/ε = 2‖U‖² - <C, U>
// with random C.
func afterSteps(t *testing.T, c *testCase, dt tensor.Dtype, steps int) (Preconditioner, Learner) {
	t.Helper()
	p, r := c.start(t, dt), c.f.Relative()
	l, err := r.Start(p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range steps {
		g, weights := c.random(dt, c.rows, c.cols), c.random(dt, c.rows, c.cols)
		for j, u := range multiply(p, g) {
			set(weights, j, 4*u-at(weights, j))
		}
		out := c.relativePass(t, r, l, g, weights, 1)
		l.Step(Step{Number: float64(i + 1), Size: 0.2, Decay: 0.9, Epsilon: 1, Gradient: g, DPhi: out.dphi, Energies: out.energies})
	}
	return p, l
}

// TestRelativeStepsLeaveSAnOuterProduct is what the two products of outerProduct stand
// on.
func TestRelativeStepsLeaveSAnOuterProduct(t *testing.T) {
	outer := func(p Preconditioner, c *testCase) bool {
		s := p.Factors()[2]
		if s.Dtype() == tensor.Float32 {
			return apoops.Outer(s.Float32s(), c.rows, c.cols, make([]float32, c.rows), make([]float32, c.cols))
		}
		return apoops.Outer(s.Float64s(), c.rows, c.cols, make([]float64, c.rows), make([]float64, c.cols))
	}
	for dt := range dtypes {
		for _, size := range [][2]int{{3, 4}, {4, 2}, {1, 5}} {
			c := newCase(Kronecker{}, size[0], size[1])
			p, _ := afterSteps(t, c, dt, 300)
			if !outer(p, c) {
				t.Errorf("%v, %v: S = %v is no outer product", dt, size, numbers(p.Factors()[2]))
			}
			if s := p.Factors()[2]; at(s, 0) == at(s, s.DataSize()-1) {
				t.Errorf("%v, %v: S did not change", dt, size)
			}
		}
	}
}

// TestOuterProductsMultiply compares P·G by P_A and P_B, or by the factors where a side
// is much longer than the other, with Eq. 10, also after the factors were changed from
// outside.
func TestOuterProductsMultiply(t *testing.T) {
	for dt, tol := range dtypes {
		for _, size := range [][2]int{{3, 4}, {4, 2}, {1, 5}, {12, 2}, {2, 12}} {
			t.Run(fmt.Sprint(dt, size), func(t *testing.T) {
				c := newCase(Kronecker{}, size[0], size[1])
				p, l := afterSteps(t, c, dt, 30)
				check := func(what string) {
					t.Helper()
					for range 2 {
						g := c.random(dt, c.rows, c.cols)
						near(t, what, multiply(p, g), c.pass(t, p.Factors(), g, g).u, 10*tol)
					}
				}
				check("after steps")
				y := []*tensor.Dense{c.random(dt, c.cols, c.cols), c.random(dt, c.rows, c.rows)}
				l.Change(y, 0.3)
				check("after a change")
				for _, a := range p.Factors() {
					set(a, a.DataSize()-1, at(a, a.DataSize()-1)+0.1)
					check("after a change from outside")
				}
			})
		}
	}
}
