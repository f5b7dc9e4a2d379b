package form

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// testCase is a form for gradients of one size.
type testCase struct {
	f          Form
	rows, cols int
	rng        *rand.Rand
}

func newCase(f Form, rows, cols int) *testCase {
	return &testCase{f: f, rows: rows, cols: cols, rng: rand.New(rand.NewPCG(uint64(rows), uint64(cols)))}
}

const startRate = 0.3

// start makes P = startRate·I.
func (c *testCase) start(t *testing.T, dt tensor.Dtype) Preconditioner {
	t.Helper()
	p, err := Start(c.f, Setup{Rows: c.rows, Cols: c.cols, Dtype: dt, Rate: startRate, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// perturbed makes a P away from its start, so that no factor is 0, 1 or symmetric.
func (c *testCase) perturbed(t *testing.T, dt tensor.Dtype) Preconditioner {
	t.Helper()
	p := c.start(t, dt)
	for _, a := range p.Factors() {
		noise := c.random(dt, a.Shape()...)
		for i := range a.DataSize() {
			set(a, i, at(a, i)+0.4*at(noise, i))
		}
	}
	return p
}

// random draws numbers of a normal distribution.
func (c *testCase) random(dt tensor.Dtype, shape ...int) *tensor.Dense {
	a := tensor.New(tensor.WithShape(shape...), tensor.Of(dt))
	for i := range a.DataSize() {
		set(a, i, c.rng.NormFloat64())
	}
	return a
}

func at(a *tensor.Dense, i int) float64 {
	if a.Dtype() == tensor.Float32 {
		return float64(a.Float32s()[i])
	}
	return a.Float64s()[i]
}

func set(a *tensor.Dense, i int, x float64) {
	if a.Dtype() == tensor.Float32 {
		a.Float32s()[i] = float32(x)
	} else {
		a.Float64s()[i] = x
	}
}

func numbers(a *tensor.Dense) []float64 {
	x := make([]float64, a.DataSize())
	for i := range x {
		x[i] = at(a, i)
	}
	return x
}

func cloneAll(arrays []*tensor.Dense) []*tensor.Dense {
	all := make([]*tensor.Dense, len(arrays))
	for i, a := range arrays {
		all[i] = a.Clone().(*tensor.Dense)
	}
	return all
}

func copyAll(dst, src []*tensor.Dense) {
	for i, a := range src {
		for j := range a.DataSize() {
			set(dst[i], j, at(a, j))
		}
	}
}

func inner(x, y []float64) (sum float64) {
	for i, a := range x {
		sum += a * y[i]
	}
	return sum
}

// near reports arrays that differ by more than tol of the larger norm.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	var d, g, w float64
	for i := range want {
		d, g, w = d+(got[i]-want[i])*(got[i]-want[i]), g+got[i]*got[i], w+want[i]*want[i]
	}
	if len(got) != len(want) || !(math.Sqrt(d) <= tol*math.Sqrt(max(g, w))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// multiply is P·g outside of graphs.
func multiply(p Preconditioner, g *tensor.Dense) []float64 {
	dst := g.Clone().(*tensor.Dense)
	for i := range dst.DataSize() {
		set(dst, i, math.NaN()) // all of dst is written
	}
	p.Multiply(dst, g)
	return numbers(dst)
}

// passed is what a graph of U = P·G computes for the cost <weights, U>.
type passed struct {
	u        []float64
	dphi     []*tensor.Dense // of the cost
	energies []*tensor.Dense
}

// pass runs the form's lookahead.
func (c *testCase) pass(t *testing.T, phi []*tensor.Dense, g, weights *tensor.Dense) passed {
	t.Helper()
	return c.run(t, nil, phi, g, weights, func(_, phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) { return c.f.Lookahead(phi, g) }, nil)
}

// relativePass runs the lookahead of relative steps.
func (c *testCase) relativePass(t *testing.T, r Relative, l Learner, g, weights *tensor.Dense, epsilon float64) passed {
	t.Helper()
	return c.run(t, l.Constants(), l.Phi(), g, weights, r.Lookahead, func(dphi gorgonia.Nodes) (gorgonia.Nodes, error) {
		e := gorgonia.NewScalar(dphi[0].Graph(), g.Dtype(), gorgonia.WithName("epsilon"))
		value, err := apoops.Choose[any](g.Dtype(), float32(epsilon), epsilon)
		if err == nil {
			err = gorgonia.Let(e, value)
		}
		if err != nil {
			return nil, err
		}
		return r.Energies(dphi, e)
	})
}

func (c *testCase) run(t *testing.T, constants, phi []*tensor.Dense, g, weights *tensor.Dense,
	lookahead func(constants, phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error), energies func(dphi gorgonia.Nodes) (gorgonia.Nodes, error)) (out passed) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	graph := gorgonia.NewGraph()
	leaves := 0
	input := func(a *tensor.Dense) *gorgonia.Node {
		leaves++ // Gorgonia takes leaves of one name and shape for one
		return gorgonia.NewTensor(graph, a.Dtype(), a.Dims(), gorgonia.WithShape(a.Shape()...), gorgonia.WithName(fmt.Sprint("input", leaves)), gorgonia.WithValue(a))
	}
	inputs := func(arrays []*tensor.Dense) (all gorgonia.Nodes) {
		for _, a := range arrays {
			all = append(all, input(a))
		}
		return all
	}
	phiNodes := inputs(phi)
	u, err := lookahead(inputs(constants), phiNodes, input(g))
	must(err)
	if !apoops.SameShape(u.Shape(), g.Shape()) {
		t.Fatalf("U has shape %v, G %v", u.Shape(), g.Shape())
	}
	weighted, err := gorgonia.HadamardProd(u, input(weights))
	must(err)
	cost, err := gorgonia.Sum(weighted)
	must(err)
	dphi, err := gorgonia.Grad(cost, phiNodes...)
	must(err)
	var more gorgonia.Nodes
	if energies != nil {
		more, err = energies(dphi)
		must(err)
	}
	var value gorgonia.Value
	gorgonia.Read(u, &value)
	vm := gorgonia.NewTapeMachine(graph)
	must(vm.RunAll())
	out.u = numbers(value.(*tensor.Dense))
	for _, n := range dphi {
		out.dphi = append(out.dphi, n.Value().(*tensor.Dense).Clone().(*tensor.Dense))
	}
	for _, n := range more {
		out.energies = append(out.energies, n.Value().(*tensor.Dense).Clone().(*tensor.Dense))
	}
	must(vm.Close())
	return out
}
