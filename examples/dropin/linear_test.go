package dropin

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestLinearRegression fits a line with two scalar parameters, as in Gorgonia's
// tutorial.
func TestLinearRegression(t *testing.T) {
	compare(t, linearRegression, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.001)),
		trainers.SGD(0.001), trainers.FSD(0.1, graph.HalfSquared))
}

func linearRegression(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	rng := newSource(11)
	xs, ys := make([]float64, 100), make([]float64, 100)
	for i := range xs {
		xs[i] = float64(i) / 50
		ys[i] = 2*xs[i] + 1 + 0.1*rng.NormFloat64()
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(100), gorgonia.WithValue(tensor.New(tensor.WithBacking(xs))))
	y := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithShape(100), gorgonia.WithValue(tensor.New(tensor.WithBacking(ys))))
	m := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("m"), gorgonia.WithValue(0.3))
	c := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("c"), gorgonia.WithValue(0.1))
	pred := must(gorgonia.Add(must(gorgonia.Mul(x, m)), c))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(pred, y))))))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, m, c)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: pred, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{m, c}})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(m, c))
	defer vm.Close()
	return train(t, vm, solver, gorgonia.Nodes{m, c}, &loss, 200, 1, func(int) {})
}
