package layers

import "github.com/apo-gorgonia/apo/apoops"

// LeNet is a net of the kind of LeNet-5 (LeCun et al. 1998) for images 3×32×32:
// convolutions 6@5×5 and 16@5×5 without padding, each before a 2×2 max pooling,
// and layers of 120, 84 and classes units; ReLU in between. It has 62 006 weights
// for 10 classes.
func LeNet(classes int) *Model {
	return Sequential(
		Conv(3, 6, 5, apoops.ReLUAct), halve(),
		Conv(6, 16, 5, apoops.ReLUAct), halve(),
		Flatten(),
		Dense(16*5*5, 120, apoops.ReLUAct), Dense(120, 84, apoops.ReLUAct), logits(84, classes),
	)
}

// AlexNet is the small net after Krizhevsky et al. (2012) for images 3×32×32 that
// comparisons of KFAC train: convolutions 64@11×11 of stride 4 and padding 5,
// 192@5×5, 384, 256 and 256@3×3, three 2×2 max poolings and one linear layer
// 256-classes. It has 2 472 266 weights for 10 classes.
func AlexNet(classes int) *Model {
	first := same(3, 64, 11)
	first.Stride = [2]int{4, 4}
	return Sequential(
		first, halve(),
		same(64, 192, 5), halve(),
		same(192, 384, 3), same(384, 256, 3), same(256, 256, 3), halve(),
		Flatten(), logits(256, classes),
	)
}

// VGG16 is configuration D of Simonyan & Zisserman (2015) for images 3×32×32: 13
// convolutions 3×3 in five stages of 64 to 512 channels, each before a 2×2 max
// pooling, no batch normalisation, one linear layer 512-classes. It has 14 719 818
// weights for 10 classes.
func VGG16(classes int) *Model {
	m := &Model{}
	in := 3
	for _, stage := range [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}} {
		for _, out := range stage {
			m.layers = append(m.layers, same(in, out, 3))
			in = out
		}
		m.layers = append(m.layers, halve())
	}
	m.layers = append(m.layers, Flatten(), logits(in, classes))
	return m
}

// same is a convolution with ReLU whose padding keeps the size of images.
func same(in, out, kernel int) *ConvLayer {
	c := Conv(in, out, kernel, apoops.ReLUAct)
	c.Pad = [2]int{kernel / 2, kernel / 2}
	return c
}

// halve is a 2×2 max pooling.
func halve() Layer { return MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}) }
