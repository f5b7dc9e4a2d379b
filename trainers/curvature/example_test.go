package curvature_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// A rule without a Trainer: natural gradient descent on least squares whose inputs
// differ in scale by a factor of 100, which gradient descent minimizes slowly.
func ExampleKFAC() {
	x := []float64{1, 100, -1, 100, 1, -100, -1, -100}
	y := []float64{3, 1, -1, -3} // x₁ + x₂/50
	batch := graph.NewBatch(
		tensor.New(tensor.WithShape(4, 2), tensor.WithBacking(x)),
		tensor.New(tensor.WithShape(4, 1), tensor.WithBacking(y)))

	model := layers.MLP(2, 1)
	params, err := model.Init(1, tensor.Float64)
	check(err)
	task := &rule.Task{
		Params: params, Model: params, Blocks: graph.BlockPerParam(params), Seed: 1,
		Source: graph.Objective{Model: model, Loss: graph.SquaredError},
	}
	o := curvature.KFAC(0.1)
	o.KLClip, o.FactorEvery, o.InverseEvery = 0, 1, 1
	r, err := o.Start(task)
	check(err)
	base, err := graph.NewBase(task.Source, params, batch, nil)
	check(err)
	for step := range 200 {
		check(base.Feed(batch))
		check(base.Run())
		g, err := base.Grads()
		check(err)
		d, err := r.Directions(rule.Input{T: step + 1, G: g, Batch: batch})
		check(err)
		w := params[0].Value.Float64s()
		for i, v := range d[0].Float64s() {
			w[i] -= o.LR * v
		}
	}
	fmt.Printf("%.3f\n", params[0].Value.Float64s()[:2]) // without the bias, 0 but for rounding
	// Output: [1.000 0.020]
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

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
