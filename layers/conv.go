package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// ConvLayer is a convolution of images, y = act(x∗W + b), from N×Inputs×H×W to
// N×Outputs×OH×OW (see apoops.Conv.OutSize). Its parameter is a matrix of
// (Inputs·kh·kw+1)×Outputs, which multiplies patches; its last row is the bias.
type ConvLayer struct {
	Inputs, Outputs int // channels
	// Kernel, Stride, Pad and Dilation are for rows, then columns. A Stride or
	// Dilation of 0 stands for 1.
	Kernel, Stride, Pad, Dilation [2]int
	Activation                    apoops.Activation
	// NoBias leaves the bias out.
	NoBias bool
	// Init draws the weights, Inputs·kh·kw×Outputs. nil stands for He. The bias
	// starts at 0.
	Init Initializer
}

var _ Layer = (*ConvLayer)(nil)

// Conv is a convolution with a square kernel, with bias, of stride 1 and without
// padding. Set the fields for others:
//
//	c := layers.Conv(3, 64, 3, apoops.ReLUAct)
//	c.Pad = [2]int{1, 1} // images keep their size
func Conv(inputs, outputs, kernel int, act apoops.Activation) *ConvLayer {
	return &ConvLayer{Inputs: inputs, Outputs: outputs, Kernel: [2]int{kernel, kernel}, Activation: act}
}

// Kind implements Layer.
func (*ConvLayer) Kind() string { return "conv" }

// Params implements Layer.
func (c *ConvLayer) Params() ([]Spec, error) {
	if c.Inputs < 1 || c.Outputs < 1 {
		return nil, errors.Errorf("%d input channels, %d output channels: both must be positive", c.Inputs, c.Outputs)
	}
	for i := range 2 {
		if c.Kernel[i] < 1 || c.Stride[i] < 0 || c.Pad[i] < 0 || c.Dilation[i] < 0 {
			return nil, errors.Errorf("kernel %v, stride %v, padding %v, dilation %v: the kernel must be positive, the others 0 or more", c.Kernel, c.Stride, c.Pad, c.Dilation)
		}
	}
	init := c.Init
	if init == nil {
		init = He()
	}
	rows := c.Inputs * c.Kernel[0] * c.Kernel[1]
	if c.NoBias {
		return []Spec{{Shape: tensor.Shape{rows, c.Outputs}, Matrix: true, Kernel: c.Kernel, Init: init}}, nil
	}
	return []Spec{{Shape: tensor.Shape{rows + 1, c.Outputs}, Matrix: true, Bias: true, Kernel: c.Kernel, Init: Biased(init)}}, nil
}

// Apply implements Layer.
func (c *ConvLayer) Apply(_ *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if s := x.Shape(); s.Dims() != 4 || s[1] != c.Inputs {
		return nil, errors.Errorf("input of shape %v: want images of %d channels, N×%d×H×W", s, c.Inputs, c.Inputs)
	}
	return apoops.Conv2D(x, theta[0], apoops.Conv{
		Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation, NoBias: c.NoBias, Activation: c.Activation,
	})
}
