package graph

import (
	"reflect"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// replacements make the nodes that stand for those of Gorgonia's ops that cannot
// be applied a second time, or that are wrong, by type name: n is the user's node,
// the operands are those in the rebuilt graph. Where neither a node nor an error is
// returned the op is applied as it is. Where the values are not those of the user's
// own machine, to rounding, the pass gets a note.
//
// MaxPool2D and BatchNorm write what their gradient needs into the op, so that of
// two applications of one op the gradient of the first takes the places or the
// moments of the second. BatchNorm has its running statistics there too: they
// would move with every pass, and a new virtual machine resets them.
var replacements = map[string]replacement{
	"reshapeOp":   replaceReshape,
	"sumOp":       replaceSum,
	"maxOp":       replaceMax,
	"maxPoolOp":   replaceMaxPool,
	"BatchNormOp": replaceBatchNorm,
}

// replacement makes the node that stands for the user's node n in a pass.
type replacement func(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error)

// replaceReshape copies: Gorgonia's shares memory with its operand, which an
// in-place op may then overwrite; its broadcasting uses it everywhere.
func replaceReshape(n *gorgonia.Node, operands gorgonia.Nodes, _ *Pass) (*gorgonia.Node, error) {
	return apoops.Reshape(operands[0], n.Shape()...)
}

func replaceMaxPool(n *gorgonia.Node, operands gorgonia.Nodes, _ *Pass) (*gorgonia.Node, error) {
	s := reflect.Indirect(reflect.ValueOf(n.Op()))
	number := func(field string) int { return int(s.FieldByName(field).Int()) }
	if number("padNorth") != number("padSouth") || number("padWest") != number("padEast") {
		return nil, errors.New("Gorgonia's MaxPool2D puts padding that differs from side to side on the wrong sides: give both sides the same")
	}
	return apoops.MaxPool2D(operands[0], apoops.Pool{
		Kernel: [2]int{number("h"), number("w")},
		Stride: [2]int{number("strideH"), number("strideW")},
		Pad:    [2]int{number("padNorth"), number("padWest")},
	})
}

// replaceBatchNorm normalises without scale and bias, which are nodes of their own,
// behind Gorgonia's op. See matchNorm for them together.
func replaceBatchNorm(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	x := operands[0]
	channels := x.Shape()[1]
	ones, zeros := tensor.Ones(x.Dtype(), channels), tensor.New(tensor.Of(x.Dtype()), tensor.WithShape(channels))
	return p.normalize(n, x, gorgonia.NewConstant(ones), gorgonia.NewConstant(zeros), apoops.Identity)
}
