package dropin

import (
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestAutoencoder squeezes digits into 12 numbers and back.
func TestAutoencoder(t *testing.T) {
	compare(t, autoencoder, gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.001)),
		trainers.Adam(0.001), trainers.FSD(0.1, graph.BernoulliKL))
}

func autoencoder(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	images, _ := digits(t)
	rng := newSource(23)
	g := gorgonia.NewGraph()
	x := input(g, "x", batchRows, 64)
	w0, b0 := rng.weights(g, "w0", scaled(64), 64, 12), rng.weights(g, "b0", 0, 1, 12)
	w1, b1 := rng.weights(g, "w1", scaled(12), 12, 64), rng.weights(g, "b1", 0, 1, 64)
	params := gorgonia.Nodes{w0, b0, w1, b1}
	logits := affine(must(gorgonia.Sigmoid(affine(x, w0, b0))), w1, b1)
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(must(gorgonia.Sigmoid(logits)), x))))))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, params...)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Params: params})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	return train(t, vm, solver, params, &loss, 5*epoch, epoch, func(step int) {
		rows(t, x, images, step%epoch*batchRows)
	})
}
