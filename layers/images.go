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
	return plain{"maxpool", p.String(), func(x *gorgonia.Node) (*gorgonia.Node, error) { return apoops.MaxPool2D(x, p) }}
}

// AvgPool takes the mean of each window of images, N×C×H×W to N×C×OH×OW; padding
// counts as zeros.
func AvgPool(p apoops.Pool) Layer {
	return plain{"avgpool", p.String(), func(x *gorgonia.Node) (*gorgonia.Node, error) { return apoops.AvgPool2D(x, p) }}
}

// GlobalAvgPool takes the mean of each channel of images, N×C×H×W to N×C.
func GlobalAvgPool() Layer { return plain{"globalavgpool", "", apoops.GlobalAvgPool2D} }

// Flatten makes each example a row, N×… to N×d: images for a Dense layer.
func Flatten() Layer {
	return plain{"flatten", "", func(x *gorgonia.Node) (*gorgonia.Node, error) {
		n := x.Shape()[0]
		return apoops.Reshape(x, n, x.Shape().TotalSize()/n)
	}}
}

// Subsample keeps every stride-th row and column of images and puts channels of
// zeros behind theirs: a residual block's shortcut without parameters.
func Subsample(stride, channels int) Layer {
	return plain{"subsample", fmt.Sprintf("(%d, %d)", stride, channels), func(x *gorgonia.Node) (*gorgonia.Node, error) { return apoops.Subsample(x, stride, channels) }}
}

// plain is a layer without parameters that is the same in every pass.
type plain struct {
	kind, settings string

	apply func(x *gorgonia.Node) (*gorgonia.Node, error)
}

func (l plain) Kind() string          { return l.kind }
func (plain) Params() ([]Spec, error) { return nil, nil }

func (l plain) Apply(_ *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	return l.apply(x)
}
