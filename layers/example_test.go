package layers_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
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

// scale is a layer of one's own: y = x∘s, with a factor for each column.
type scale struct{ columns int }

// Kind is the name of the layer in names of parameters.
func (scale) Kind() string { return "scale" }

// Params has one parameter, which starts at 1. It is no matrix.
func (s scale) Params() ([]layers.Spec, error) {
	return []layers.Spec{{Shape: tensor.Shape{s.columns}, Init: layers.Constant(1)}}, nil
}

// Apply builds the layer's output.
func (scale) Apply(_ *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	factors, err := apoops.Repeat(theta[0], 0, x.Shape()...) // one row for each of x
	if err != nil {
		return nil, err
	}
	return gorgonia.HadamardProd(x, factors)
}

// A layer of one's own is trained like any other. Here it alone is the model, and
// learns the factors 2, -1 and 0.5.
func ExampleLayer() {
	trainer, err := trainers.New(layers.Sequential(scale{3}), graph.SquaredError, trainers.SGD(0.01), trainers.Dtype(tensor.Float64))
	if err != nil {
		log.Fatal(err)
	}
	batch := graph.NewBatch(
		tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 3, 2, 1})),
		tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{2, -2, 1.5, 6, -2, 0.5})))
	for range 300 {
		if _, err := trainer.Step(batch); err != nil {
			log.Fatal(err)
		}
	}
	for _, p := range trainer.Params() {
		fmt.Printf("%s %.2f\n", p.Name, p.Value.Float64s())
	}
	// Output:
	// scale0 [2.00 -1.00 0.50]
}

func ExampleImageModel() {
	net, err := layers.ImageModel("lenet", 10)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(net.Describe()[0])
	_, err = layers.ImageModel("lenet5", 10)
	fmt.Println(err)
	// Output:
	// conv 3×6, kernel [5 5], stride [1 1], padding [0 0], dilation [1 1], relu
	// layers: no image model "lenet5": want one of lenet, alexnet, vgg16, resnet18, resnet34, resnet32, resnet32-wide, wrn-28-10, resnet8
}

// A decoder that is trained on text: its input are tokens, N×T, its output the logits of
// the next token of each.
func ExampleLanguageModel() {
	model := layers.LanguageModel(layers.TransformerConfig{
		Decoder: 1, Width: 16, Heads: 2, FeedForward: 32, Vocabulary: 100, Shared: true, PreNorm: true,
	})
	params, err := model.Init(1, tensor.Float32)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range params {
		fmt.Println(p.Name, p.Value.Shape())
	}
	// Output:
	// embedding (100, 16)
	// decoder0/attention/query (17, 16)
	// decoder0/attention/key (17, 16)
	// decoder0/attention/value (17, 16)
	// decoder0/attention/output (17, 16)
	// decoder0/norm0/gain (16)
	// decoder0/norm0/shift (16)
	// decoder0/dense0 (17, 32)
	// decoder0/dense1 (33, 16)
	// decoder0/norm1/gain (16)
	// decoder0/norm1/shift (16)
	// decodernorm/gain (16)
	// decodernorm/shift (16)
}
