package curvature_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Shampoo needs gradients alone: its first direction L^(-1/4) G R^(-1/4) is close to
// the orthogonal matrix nearest to G.
func ExampleShampoo() {
	w := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(make([]float64, 4)))
	params := []*graph.Param{{Name: "fc", Matrix: true, Value: w}}
	r, err := curvature.Shampoo(0.1).Start(&rule.Task{Params: params, Blocks: graph.BlockPerParam(params)})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{3, 0, 0, 0.5}))
	d, err := r.Directions(rule.Input{T: 1, G: []*tensor.Dense{g}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f\n", d[0].Float64s())
	// Output: [1.000 0.000 0.000 1.000]
}
