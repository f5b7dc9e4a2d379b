package layers_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/layers"
)

// A small residual net for images 3×8×8. The shortcut of a block that changes the shape
// drops every other row and column and adds channels of zeros.
func ExampleResidual() {
	conv := func(in, out, stride int) layers.Layer {
		c := layers.Conv(in, out, 3, apoops.Identity)
		c.Pad, c.Stride, c.NoBias = [2]int{1, 1}, [2]int{stride, stride}, true
		return c
	}
	narrowing := layers.Residual(
		conv(8, 16, 2), layers.BatchNorm(16, apoops.ReLUAct),
		conv(16, 16, 1), layers.BatchNorm(16, apoops.Identity),
	)
	narrowing.Shortcut = []layers.Layer{layers.Subsample(2, 16)}
	net := layers.Sequential(
		conv(3, 8, 1), layers.BatchNorm(8, apoops.Identity), layers.Activation(apoops.TanhAct),
		layers.AvgPool(apoops.Pool{Kernel: [2]int{2, 2}}),
		narrowing,
		layers.GlobalAvgPool(), layers.Dropout(0.2), layers.Dense(16, 10, apoops.Identity),
	)
	params, err := net.Init(1, tensor.Float32)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range params {
		if p.Matrix {
			fmt.Println(p.Name, p.Value.Shape())
		}
	}
	// Output:
	// conv0 (27, 8)
	// residual2/conv0 (72, 16)
	// residual2/conv2 (144, 16)
	// dense3 (17, 10)
}

// The encoder and its mirror image.
func ExampleAutoencoder() {
	params, err := layers.Autoencoder(64, 32, 8).Init(1, tensor.Float32)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range params {
		fmt.Println(p.Name, p.Value.Shape())
	}
	// Output:
	// dense0 (65, 32)
	// dense1 (33, 8)
	// dense2 (9, 32)
	// dense3 (33, 64)
}

// Weights from other distributions than the usual ones. The bias stays 0 unless a layer says
// otherwise.
func ExampleInitializer() {
	for _, init := range []layers.Initializer{layers.Glorot(), layers.He(), layers.LeCun(), layers.Normal(0.01), layers.Sparse(2)} {
		dense := layers.Dense(4, 3, apoops.TanhAct)
		dense.Init = init
		params, err := layers.Sequential(dense).Init(1, tensor.Float64)
		if err != nil {
			log.Fatal(err)
		}
		w := params[0].Value.Float64s()
		zeros := 0
		for _, v := range w {
			if v == 0 {
				zeros++
			}
		}
		fmt.Println(zeros, "of", len(w), "are 0")
	}

	w := make([]float64, 6)
	layers.Biased(layers.Constant(0.5))(rand.New(rand.NewPCG(1, 1)), w, tensor.Shape{3, 2})
	fmt.Println(w)
	w = make([]float64, 2)
	layers.Zeros()(nil, w, tensor.Shape{2})
	fmt.Println(w)
	// Output:
	// 3 of 15 are 0
	// 3 of 15 are 0
	// 3 of 15 are 0
	// 3 of 15 are 0
	// 9 of 15 are 0
	// [0.5 0.5 0.5 0.5 0 0]
	// [0 0]
}

// The weights of a net of 32×32 images, without its running statistics.
func ExampleResNet8() {
	params, err := layers.ResNet8(10).Init(1, tensor.Float32)
	if err != nil {
		log.Fatal(err)
	}
	weights := 0
	for _, p := range params {
		if !p.Statistic {
			weights += p.Value.DataSize()
		}
	}
	fmt.Println(weights)
	// Output: 75290
}

// The models of 32×32 images with their first layers. None has weights before Init.
func ExampleImageModels() {
	models := []*layers.Model{
		layers.LeNet(10), layers.AlexNet(10), layers.VGG16(10), layers.ResNet18(10), layers.ResNet34(10),
		layers.ResNet32(10, 16), layers.ResNet32(10, 64), layers.WideResNet(28, 10, 10), layers.ResNet8(10),
	}
	for i, name := range layers.ImageModels() {
		named, err := layers.ImageModel(name, 10)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, named.Describe()[0] == models[i].Describe()[0], len(named.Describe()) == len(models[i].Describe()))
	}
	// Output:
	// lenet true true
	// alexnet true true
	// vgg16 true true
	// resnet18 true true
	// resnet34 true true
	// resnet32 true true
	// resnet32-wide true true
	// wrn-28-10 true true
	// resnet8 true true
}
