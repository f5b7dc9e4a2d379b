package graph

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// replacements make the nodes that stand for those of Gorgonia's ops that cannot
// be applied a second time, or that are wrong, by type name: n is the user's node,
// the operands are those in the rebuilt graph. Where neither a node nor an error is
// returned the op is applied as it is. Where values or gradients are not those of
// the user's own machine, to rounding, the pass gets a note.
//
// MaxPool2D and BatchNorm write what their gradient needs into the op, so that of
// two applications of one op the gradient of the first takes the places or the
// moments of the second. BatchNorm has its running statistics there too: they
// would move with every pass, and a new virtual machine resets them.
var replacements = map[string]replacement{
	"reshapeOp":           replaceReshape,
	"Iop":                 replaceIdentity,
	"repeatOp":            replaceRepeat,
	"concatOp":            replaceConcat,
	"sliceOp":             replaceSlice,
	"byIndicesOp":         replaceByIndices,
	"atOp":                replaceAt,
	"sumOp":               replaceSum,
	"maxOp":               replaceMax,
	"elemUnaryOp":         replaceUnary,
	"linAlgBinOp":         replaceProduct,
	"tensordotOp":         replaceTensordot,
	"softmaxOp":           replaceSoftmax,
	"sparsemaxOp":         replaceSparsemax,
	"dropoutOp":           replaceDropout,
	"maxPoolOp":           replaceMaxPool,
	"avgPoolOp":           replaceAveragePool,
	"globalAveragePoolOp": replaceGlobalAveragePool,
	"BatchNormOp":         replaceBatchNorm,
	"GroupNormOp":         replaceGroupNorm,
	"ctcLossOp":           replaceCTC,
}

// replacement makes the node that stands for the user's node n in a pass.
type replacement func(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error)

// replaceReshape copies: Gorgonia's shares memory with its operand, which an
// in-place op may then overwrite; its broadcasting uses it everywhere.
func replaceReshape(n *gorgonia.Node, operands gorgonia.Nodes, _ *Pass) (*gorgonia.Node, error) {
	return apoops.Reshape(operands[0], n.Shape()...)
}

func replaceIdentity(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	p.noteNoGradient(n, "Iop")
	return apoops.Reshape(operands[0], n.Shape()...)
}

func (p *Pass) noteNoGradient(n *gorgonia.Node, name string) {
	p.note("%s: Gorgonia's %s has no gradient: your own machine cannot train what it is made of. The rebuilt passes can.", describeUse(n), name)
}

// computed is the first operand of n in the rebuilt graph, or a copy of it where it
// is a parameter: the ops for images compute no gradient by leaves of a graph.
func (p *Pass) computed(n *gorgonia.Node, operands gorgonia.Nodes) (*gorgonia.Node, error) {
	x := operands[0]
	if x.Op() != nil || slices.Contains(p.fed, children(n)[0]) {
		return x, nil
	}
	return apoops.Reshape(x, x.Shape()...)
}

// shaped is y in the shape of the user's node n.
func shaped(y, n *gorgonia.Node, err error) (*gorgonia.Node, error) {
	if err != nil || y.Shape().Eq(n.Shape()) {
		return y, err
	}
	return apoops.Reshape(y, n.Shape()...)
}
