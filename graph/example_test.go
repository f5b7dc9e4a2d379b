package graph_test

import (
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// Loss and gradient of a linear model y = w·x + b at w = 1, b = 0.
func ExampleNewBase() {
	src := graph.Objective{Model: layers.MLP(1, 1), Loss: graph.SquaredError}
	params, err := src.Model.Init(1, tensor.Float64)
	if err != nil {
		log.Fatal(err)
	}
	copy(params[0].Value.Float64s(), []float64{1, 0}) // the bias is the last row
	column := func(values ...float64) *tensor.Dense {
		return tensor.New(tensor.WithShape(len(values), 1), tensor.WithBacking(values))
	}
	batch := graph.NewBatch(column(1, 2), column(3, 5))

	base, err := graph.NewBase(src, params, batch, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := base.Feed(batch); err != nil {
		log.Fatal(err)
	}
	if err := base.Run(); err != nil {
		log.Fatal(err)
	}
	g, err := base.Grads()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(base.LossValue(), g[0].Data())
	// Output: 3.25 [-4 -2.5]
}
