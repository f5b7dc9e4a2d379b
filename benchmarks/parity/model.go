package parity

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// architecture is a fixture's model.
type architecture struct {
	model   graph.Model
	input   tensor.Shape // of one example
	outputs int
	theta   []entry // the matrices of θ
}

// readModel makes the model.
func readModel(o object) architecture {
	name := o.text("activation")
	act, err := apoops.ParseActivation(name)
	if err != nil {
		o.fail("activation", "is %q: it must be relu, tanh, sigmoid or identity", name)
	}
	switch kind := o.text("kind"); kind {
	case "mlp":
		return readMLP(o, act)
	case "tiny-conv":
		return readTinyConv(o, act)
	default:
		o.fail("kind", "is %q: it must be mlp or tiny-conv", kind)
		return architecture{}
	}
}

func readMLP(o object, act apoops.Activation) architecture {
	sizes := readSizes(o)
	if o.err() != nil {
		return architecture{}
	}
	a := architecture{model: layers.MLPWith(act, sizes...), input: tensor.Shape{sizes[0]}, outputs: sizes[len(sizes)-1]}
	for i, n := range sizes[1:] {
		a.theta = append(a.theta, entry{fmt.Sprintf("l%d", i), []int{sizes[i] + 1, n}})
	}
	return a
}

func readSizes(o object) []int {
	numbers := o.array("sizes", anyRows)
	sizes := make([]int, len(numbers))
	for i, v := range numbers {
		n, ok := wholeNumber(v)
		if !ok || n == 0 {
			o.fail("sizes", "has %v, not a positive whole number", v)
		}
		sizes[i] = n
	}
	if len(sizes) < 2 {
		o.fail("sizes", "has %d entries, fewer than 2 (inputs and outputs)", len(sizes))
	}
	return sizes
}

// readTinyConv makes convolution, activation, max pooling and one linear layer.
func readTinyConv(o object, act apoops.Activation) architecture {
	kernel, stride, pad, pool := o.whole("kernel"), o.whole("stride"), o.whole("padding"), o.whole("pool")
	input := tensor.Shape{o.whole("in_channels"), o.whole("height"), o.whole("width")}
	channels, outputs := o.whole("channels"), o.whole("outputs")
	if o.err() != nil {
		return architecture{}
	}
	for key, v := range map[string]int{
		"kernel": kernel, "stride": stride, "pool": pool, "channels": channels, "outputs": outputs,
		"in_channels": input[0], "height": input[1], "width": input[2],
	} {
		if v == 0 || v > maxTiny {
			o.fail(key, "is %d: it must be from 1 to %d", v, maxTiny)
		}
	}
	if pad > maxTiny || min(input[1], input[2])+2*pad < kernel {
		o.fail("padding", "is %d: images of %d×%d do not fit a kernel of %d", pad, input[1], input[2], kernel)
	}
	if o.err() != nil {
		return architecture{}
	}
	conv := layers.Conv(input[0], channels, kernel, act)
	conv.Stride, conv.Pad = [2]int{stride, stride}, [2]int{pad, pad}
	halve := apoops.Pool{Kernel: [2]int{pool, pool}}
	h, w := apoops.Conv{Kernel: conv.Kernel, Stride: conv.Stride, Pad: conv.Pad}.OutSize(input[1], input[2])
	if min(h, w) < pool {
		o.fail("pool", "is %d: it must be at most the size of its images, %d×%d", pool, h, w)
		return architecture{}
	}
	h, w = halve.OutSize(h, w)
	return architecture{
		model:   layers.Sequential(conv, layers.MaxPool(halve), layers.Flatten(), layers.Dense(channels*h*w, outputs, apoops.Identity)),
		input:   input,
		outputs: outputs,
		theta: []entry{
			{"conv", []int{input[0]*kernel*kernel + 1, channels}},
			{"fc", []int{channels*h*w + 1, outputs}},
		},
	}
}

// maxTiny bounds the sizes of a tiny-conv.
const maxTiny = 1024
