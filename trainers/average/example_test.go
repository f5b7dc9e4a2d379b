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
