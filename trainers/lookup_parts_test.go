package trainers

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// tokenParts are ways to make vectors of rows to look up of an array of tokens.
var tokenParts = map[string]func(x *gorgonia.Node) gorgonia.Nodes{
	"reshape": func(x *gorgonia.Node) gorgonia.Nodes {
		return gorgonia.Nodes{gorgonia.Must(gorgonia.Reshape(x, tensor.Shape{x.Shape().TotalSize()}))}
	},
	"rows": func(x *gorgonia.Node) (all gorgonia.Nodes) {
		for i := range x.Shape()[0] {
			all = append(all, gorgonia.Must(gorgonia.Slice(x, gorgonia.S(i))))
		}
		return all
	},
	"columns": func(x *gorgonia.Node) (all gorgonia.Nodes) {
		for i := range x.Shape()[1] {
			all = append(all, gorgonia.Must(gorgonia.Slice(x, nil, gorgonia.S(i))))
		}
		return all
	},
	"a range of rows": func(x *gorgonia.Node) gorgonia.Nodes {
		return gorgonia.Nodes{gorgonia.Must(gorgonia.Reshape(gorgonia.Must(gorgonia.Slice(x, gorgonia.S(1, 3))), tensor.Shape{2 * x.Shape()[1]}))}
	},
}

// newTokenParts is the loop of a net that looks up parts of tokens of 4×3.
func newTokenParts(t testing.TB, parts func(x *gorgonia.Node) gorgonia.Nodes) *lookupLoop {
	t.Helper()
	g, rng, must := gorgonia.NewGraph(), rand.New(rand.NewPCG(73, 1)), gorgonia.Must
	leaf := func(name string, shape ...int) *gorgonia.Node {
		v := make([]float64, tensor.Shape(shape).TotalSize())
		for i := range v {
			v[i] = 0.5 * rng.NormFloat64()
		}
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(denseOf(v, shape...)))
	}
	tokens := []int{1, 2, 3, 4, 5, 6, 1, 3, 5, 2, 4, 6}
	x := gorgonia.NewMatrix(g, tensor.Int, gorgonia.WithName("x"), gorgonia.WithShape(4, 3), gorgonia.WithValue(denseOf(tokens, 4, 3)))
	table := leaf("table", lookupVocabulary, lookupWidth)
	var rows gorgonia.Nodes
	for _, p := range parts(x) {
		rows = append(rows, must(gorgonia.ByIndices(table, p, 0)))
	}
	all := rows[0]
	if len(rows) > 1 {
		all = must(gorgonia.Concat(0, rows...))
	}
	w := leaf("w", lookupWidth, 2)
	out := must(gorgonia.Mul(must(gorgonia.Tanh(all)), w))
	y := leaf("y", out.Shape()...)
	cost := must(apoops.SquaredError(out, y))
	return &lookupLoop{x: x, problem: graph.Problem{
		Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{table, w}, Divergence: graph.HalfSquared,
	}}
}

// TestLookupOfParts trains on parts of an array of tokens with Gorgonia's own solver and by
// FromProblem, and takes meta-steps by Wrap.
func TestLookupOfParts(t *testing.T) {
	for name, parts := range tokenParts {
		plain, alone, wrapped := newTokenParts(t, parts), newTokenParts(t, parts), newTokenParts(t, parts)
		tr, err := FromProblem(alone.problem, SGD(0.3), EveryK(0))
		if err != nil {
			t.Errorf("%s: FromProblem: %v", name, err)
			continue
		}
		wrapped.grad(t)
		apo, err := Wrap(wrapped.problem, SGD(0.3))
		if err != nil {
			t.Errorf("%s: Wrap: %v", name, err)
			continue
		}
		plain.grad(t)
		solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.3))
		batch := graph.NewBatch(alone.x.Value().(*tensor.Dense), alone.problem.Targets[0].Value().(*tensor.Dense))
		for range 6 {
			plain.step(t, solver)
			wrapped.step(t, apo)
			if _, err := tr.Step(batch); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for i, p := range plain.problem.Params {
			closeArrays(t, fmt.Sprintf("%s: %s", name, p.Name()), tr.Params()[i].Value.Float64s(), p.Value().(*tensor.Dense).Float64s(), 1e-13)
		}
	}
}

// step is one of the user's machine, on the values that are bound.
func (u *lookupLoop) step(t testing.TB, solver gorgonia.Solver) {
	t.Helper()
	if u.vm == nil {
		u.vm = gorgonia.NewTapeMachine(u.problem.Cost.Graph(), gorgonia.BindDualValues(u.problem.Params...))
		t.Cleanup(func() { u.vm.Close() })
	}
	for _, err := range []error{u.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	u.vm.Reset()
}
