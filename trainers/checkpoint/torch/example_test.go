package torch_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

// A layer of three inputs and two outputs: the weight is transposed, the bias becomes the
// last row.
func ExampleMap_Import() {
	params, err := layers.Sequential(layers.Dense(3, 2, apoops.Identity)).Init(1, tensor.Float32)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := torch.Modules(params, map[string]string{"dense0": "fc"})
	if err != nil {
		fmt.Println(err)
		return
	}
	weights, err := m.Import(
		[]checkpoint.NamedTensor{{Name: "dense0", Value: params[0].Value}},
		[]checkpoint.NamedTensor{
			{Name: "fc.weight", Value: tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}))},
			{Name: "fc.bias", Value: tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{7, 8}))},
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(weights[0].Value.Shape(), weights[0].Value.Data())
	// Output: (4, 2) [1 4 2 5 3 6 7 8]
}
