package trainers_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// A net of Gorgonia's own ops learns exclusive or, without a machine or a solver of
// Gorgonia's.
func ExampleFromProblem() {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	matrix := func(name string, rows, cols int, values ...float64) *gorgonia.Node {
		n := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(rows, cols))
		if values != nil {
			must(n, gorgonia.Let(n, tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(values))))
		}
		return n
	}
	x, y := matrix("x", 4, 2), matrix("y", 4, 2) // the rows of y are one-hot
	w0, b0 := matrix("w0", 2, 3, 0.7, -0.4, 0.9, -0.6, 0.8, 0.3), matrix("b0", 1, 3, 0, 0.1, -0.1)
	w1, b1 := matrix("w1", 3, 2, 0.5, -0.9, 0.7, 0.2, -0.8, 0.6), matrix("b1", 1, 2, 0, 0)

	h := must(gorgonia.Tanh(must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w0)), b0, nil, []byte{0}))))
	logits := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, w1)), b1, nil, []byte{0}))
	hits := must(gorgonia.HadamardProd(must(gorgonia.LogSoftMax(logits)), y))
	cost := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(hits, 1))))))

	tr, err := trainers.FromProblem(
		graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{w0, b0, w1, b1}},
		trainers.Adam(0.01), trainers.EveryK(2), trainers.FSD(0.1, graph.CategoricalKL))
	if err != nil {
		log.Fatal(err)
	}
	data := trainers.Data{
		X: tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float64{0, 0, 0, 1, 1, 0, 1, 1})),
		T: tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float64{1, 0, 0, 1, 0, 1, 1, 0})),
	}
	for range 300 {
		if _, err := tr.Step(graph.NewBatch(data.X, data.T)); err != nil {
			log.Fatal(err)
		}
	}
	result, err := tr.Evaluate(data, 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.0f%%, loss below 0.01: %t\n", 100*result.Accuracy, result.Loss < 0.01)
	// Output: accuracy 100%, loss below 0.01: true
}
