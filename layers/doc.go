// Package layers has layers and models to train: fully connected and convolutional
// layers, pooling, batch and layer normalisation, attention, residual blocks,
// activations, dropout, their composition, seeded initialisers, and the nets of the
// experiments.
//
// A model is an architecture, a graph.Model. It holds no weights: Init draws them from
// a seed, and Output builds y = f(x, θ) from nodes for them, once for each pass. The
// weights of a layer are one matrix whose last row is the bias, as preconditioners
// need it: (inputs+1)×outputs for Dense and (channels·kh·kw+1)×outputs for Conv, where
// it multiplies patches.
//
//	model := layers.MLP(784, 1000, 1000, 10)       // ReLU between layers, linear output
//	net := layers.Sequential(
//		layers.Dense(64, 32, apoops.TanhAct),
//		layers.Dropout(0.2),
//		layers.Dense(32, 10, apoops.Identity),
//	)
//	theta, err := net.Init(1, tensor.Float32)
//
// Images are N×C×H×W. Convolutions and batch normalisation have an activation built
// in. A bias before a normalisation has no effect, so it is left out:
//
//	conv := layers.Conv(3, 16, 3, apoops.Identity) // 3×3
//	conv.Pad, conv.NoBias = [2]int{1, 1}, true
//	net := layers.Sequential(
//		conv, layers.BatchNorm(16, apoops.ReLUAct),
//		layers.MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}),
//		layers.GlobalAvgPool(), layers.Dense(16, 10, apoops.Identity),
//	)
//
// There are models for images of 3×32×32, as in CIFAR-10. With the numbers of their
// weights for 10 classes they are
//
//	lenet          LeNet(10)               62 006
//	alexnet        AlexNet(10)          2 472 266
//	vgg16          VGG16(10)           14 719 818   no batch normalisation
//	resnet18       ResNet18(10)        11 173 962
//	resnet34       ResNet34(10)        21 282 122
//	resnet32       ResNet32(10, 16)       464 154
//	resnet32-wide  ResNet32(10, 64)     7 386 186
//	wrn-28-10      WideResNet(28, 10, 10) 36 479 194
//	resnet8        ResNet8(10)             75 290
//
// ImageModel makes them by name. Convolutions start from He's initialisation, the last
// layer from small weights.
//
// Text is tokens, N×T arrays of tensor.Int with padding on the right. Activations are
// rows, (N·T)×d, so that all layers of rows apply to them. Transformer is a model for
// translation and LanguageModel its decoder alone, made of EncoderBlock, DecoderBlock,
// MultiHeadAttention, LayerNorm and Embedding. Encode, Memory and Step decode position
// after position:
//
//	net := layers.Transformer(layers.TransformerConfig{
//		Encoder: 6, Decoder: 6, Width: 512, Heads: 4, FeedForward: 1024,
//		Vocabulary: 10152, Shared: true, Dropout: 0.3,
//	}) // 36 741 120 weights
//
// A type outside this package that implements Layer is a layer too (see the example
// of Layer and examples/extend).
package layers
