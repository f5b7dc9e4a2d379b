package average_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/average"
)

// The mean of the weights after each of three steps.
func ExampleAverage_Start() {
	value := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{100, 100}))
	mean := average.PolynomialDecay(0).Start([]*graph.Param{{Name: "w", Value: value}})
	for step := range 3 {
		value.Float64s()[0], value.Float64s()[1] = float64(step), float64(10*step)
		mean.Add()
	}
	x := tensor.New(tensor.WithShape(2), tensor.Of(tensor.Float64))
	mean.Evaluated([]*tensor.Dense{x})
	fmt.Println(x.Data())
	// Output: [1 10]
}

// Each step back counts half as much: (3 + 2/2 + 1/4)/(1 + 1/2 + 1/4).
func ExampleExponential() {
	value := tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{0}))
	mean := average.Exponential(0.5).Start([]*graph.Param{{Name: "w", Value: value}})
	for step := range 3 {
		value.Float64s()[0] = float64(step + 1)
		mean.Add()
	}
	x := tensor.New(tensor.WithShape(1), tensor.Of(tensor.Float64))
	mean.Evaluated([]*tensor.Dense{x})
	fmt.Printf("%.3f\n", x.Float64s())
	// Output: [2.429]
}
