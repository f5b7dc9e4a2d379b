package dropin

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestIris predicts the width of petals from the other measures by least squares.
func TestIris(t *testing.T) {
	compare(t, iris, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.001)),
		trainers.SGD(0.001), trainers.FSD(0.1, graph.HalfSquared))
}

func iris(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	const flowers = 150
	xs, ys := irisData(flowers)
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("X"), gorgonia.WithValue(tensor.New(tensor.WithShape(flowers, 5), tensor.WithBacking(xs))))
	y := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithValue(tensor.New(tensor.WithBacking(ys))))
	theta := newSource(13).weights(g, "theta", 0.5, 5)
	pred := must(gorgonia.Mul(x, theta))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(pred, y))))))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, theta)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: pred, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{theta}})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(theta))
	defer vm.Close()
	return train(t, vm, solver, gorgonia.Nodes{theta}, &loss, 300, 1, func(int) {})
}

// irisData draws flowers of three species: length and width of sepals, length of
// petals, the species and 1, and the width of petals.
func irisData(n int) (x, y []float64) {
	rng := newSource(12)
	species := [][4]float64{{5, 3.4, 1.5, 0.25}, {5.9, 2.8, 4.3, 1.3}, {6.6, 3, 5.6, 2}}
	for i := range n {
		s := species[i%3]
		size := 0.3 * rng.NormFloat64()
		x = append(x, s[0]+size+0.2*rng.NormFloat64(), s[1]+size/2+0.2*rng.NormFloat64(), s[2]+size/2+0.2*rng.NormFloat64(), float64(i%3), 1)
		y = append(y, s[3]+size/4+0.1*rng.NormFloat64())
	}
	return x, y
}

// TestXOR learns the four cases with one hidden layer.
func TestXOR(t *testing.T) {
	compare(t, xor, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.5)),
		trainers.SGD(0.5), trainers.FSD(0.1, graph.BernoulliKL))
}

func xor(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	rng := newSource(14)
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(4, 2),
		gorgonia.WithValue(tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float64{0, 0, 0, 1, 1, 0, 1, 1}))))
	y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithShape(4, 1),
		gorgonia.WithValue(tensor.New(tensor.WithShape(4, 1), tensor.WithBacking([]float64{0, 1, 1, 0}))))
	w0, b0 := rng.weights(g, "w0", 1, 2, 4), rng.weights(g, "b0", 0.1, 1, 4)
	w1, b1 := rng.weights(g, "w1", 1, 4, 1), rng.weights(g, "b1", 0.1, 1, 1)
	params := gorgonia.Nodes{w0, b0, w1, b1}
	h := must(gorgonia.Sigmoid(affine(x, w0, b0)))
	logits := affine(h, w1, b1)
	out := must(gorgonia.Sigmoid(logits))
	cost := must(gorgonia.Mean(must(gorgonia.BinaryXent(out, y))))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, params...)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: params})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	return train(t, vm, solver, params, &loss, 500, 1, func(int) {})
}
