package layers

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// MaxPool takes the maximum of each window of images, N×C×H×W to N×C×OH×OW (see
// apoops.Pool.OutSize). apoops.Pool{Kernel: [2]int{2, 2}} halves them.
func MaxPool(p apoops.Pool) Layer {
	return stateless{"maxpool", p.String(), func(x *gorgonia.Node) (*gorgonia.Node, error) { return apoops.MaxPool2D(x, p) }}
}

// AvgPool takes the mean of each window of images, N×C×H×W to N×C×OH×OW; padding
// counts as zeros.
func AvgPool(p apoops.Pool) Layer {
	return stateless{"avgpool", p.String(), func(x *gorgonia.Node) (*gorgonia.Node, error) { return apoops.AvgPool2D(x, p) }}
}

// GlobalAvgPool takes the mean of each channel of images, N×C×H×W to N×C.
func GlobalAvgPool() Layer { return stateless{"globalavgpool", "", apoops.GlobalAvgPool2D} }

// Flatten makes each example a row, N×… to N×d, for a Dense layer behind images.
func Flatten() Layer {
	return stateless{"flatten", "", func(x *gorgonia.Node) (*gorgonia.Node, error) {
		n := x.Shape()[0]
		return apoops.Reshape(x, n, x.Shape().TotalSize()/n)
	}}
}

// Subsample keeps every stride-th row and column of images and adds channels of
// zeros up to channels. It is the shortcut of residual blocks without parameters.
func Subsample(stride, channels int) Layer {
	return stateless{"subsample", fmt.Sprintf("(%d, %d)", stride, channels), func(x *gorgonia.Node) (*gorgonia.Node, error) { return apoops.Subsample(x, stride, channels) }}
}

// stateless is a layer without parameters that does the same in every pass.
type stateless struct {
	kind, settings string

	apply func(x *gorgonia.Node) (*gorgonia.Node, error)
}

func (l stateless) Kind() string          { return l.kind }
func (stateless) Params() ([]Spec, error) { return nil, nil }

func (l stateless) Apply(_ *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	return l.apply(x)
}
