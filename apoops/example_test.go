package apoops_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// U = B(S²∘BᵀGA)Aᵀ for a layer of two inputs and two outputs: A and B turn the
// gradient into the preconditioner's basis and back, S² scales it there.
func ExamplePrecondition() {
	g := gorgonia.NewGraph()
	matrix := func(name string, values ...float64) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name),
			gorgonia.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(values))))
	}
	identity := matrix("A", 1, 0, 0, 1)
	swap := matrix("B", 0, 1, 1, 0)
	scale := matrix("S", 1, 2, 3, 4)
	grad := matrix("G", 1, 1, 1, 1)

	u, err := apoops.Precondition(identity, swap, scale, grad)
	if err != nil {
		log.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(u.Value().Data())
	// Output: [9 16 1 4]
}

// A layer with its bias in the last row of the weights, act([x,1]·W).
func ExampleDense() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, 3, 4}))))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(3, 1), tensor.WithBacking([]float64{1, -1, -0.5}))))
	y, err := apoops.Dense(x, w, apoops.Identity)
	if err != nil {
		log.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape(), y.Value().Data())
	// Output: (2, 1) [-1.5 -1.5]
}

// Numbers of 16 bits outside of graphs.
func ExampleRound16() {
	f, err := apoops.ParseFormat("float16")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(apoops.Round16(f, 0.1), apoops.FromBits(f, apoops.ToBits(f, 0.1)))
	g := []float32{1e-9, 0.1}
	apoops.RoundAll(f, g, 1<<16) // with a loss scale even the first is not lost
	fmt.Println(g[0] > 0, apoops.AllFinite(g))
	// Output:
	// 0.0999755859375 0.0999755859375
	// true true
}
