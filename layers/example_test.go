package layers_test

import (
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/layers"
)

// A net for images 1×8×8. Each layer's bias is the last row of its weights.
func ExampleSequential() {
	conv := layers.Conv(1, 4, 3, apoops.ReLUAct)
	conv.Pad = [2]int{1, 1}
	net := layers.Sequential(
		conv,
		layers.MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}),
		layers.Flatten(),
		layers.Dense(4*4*4, 10, apoops.Identity),
	)
	params, err := net.Init(1, tensor.Float32)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range params {
		fmt.Println(p.Name, p.Value.Shape())
	}
	// Output:
	// conv0 (10, 4)
	// dense1 (65, 10)
}
