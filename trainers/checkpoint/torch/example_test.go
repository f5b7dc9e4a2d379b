package torch_test

import (
	"fmt"
	"os"
	"path/filepath"

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

// A map from a file: a convolution with its kernel, the scale of a normalisation, and a
// module for a weight and a bias.
func ExampleReadMap() {
	folder, err := os.MkdirTemp("", "map")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "names.json")
	if err := os.WriteFile(path, []byte(`{
		"conv0": {"weight": "features.0.weight", "kernel": [5, 5]},
		"bn1/scale": {"weight": "features.1.weight"},
		"dense2": "classifier"
	}`), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	m, err := torch.ReadMap(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m["conv0"].Weight, m["conv0"].Kernel)
	fmt.Println(m["bn1/scale"].Weight)
	fmt.Println(m["dense2"].Weight, m["dense2"].Bias)
	// Output:
	// features.0.weight [5 5]
	// features.1.weight
	// classifier.weight classifier.bias
}
