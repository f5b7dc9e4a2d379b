package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// Gorgonia's Reshape shares memory with its operand. Its machine writes results of
// element-wise ops to the memory of operands that nothing reads any more; that the
// memory is another node's too it does not see.
//
// The rebuilt passes copy. noteOverwritten notes the places in the user's graph where
// their own machine may so overwrite what it still needs: a leaf, a node that others
// read, or one whose gradient is computed from its value.
func (q *Problem) noteOverwritten(used map[*gorgonia.Node]bool) {
	readers := make(map[*gorgonia.Node]gorgonia.Nodes)
	for n := range used {
		for _, c := range children(n) {
			if typeName(n.Op()) != "sizeOp" && !slices.Contains(readers[c], n) {
				readers[c] = append(readers[c], n)
			}
		}
	}
	for _, n := range q.Cost.Graph().AllNodes() {
		if !used[n] || !isReshape(n) {
			continue
		}
		source, shared := n, false
		for isReshape(source) {
			source = children(source)[0]
			shared = shared || len(readers[source]) > 1
		}
		if !shared && source.Op() != nil && !slopeOfValue(source) {
			continue
		}
		for _, r := range readers[n] {
			if writesOver(r, n) {
				q.notes.add(fmt.Sprintf("%s: Gorgonia's Reshape shares memory with its operand, and your own machine may overwrite both in %s: values, weights or gradients are then wrong there. The rebuilt passes copy, as apoops.Reshape does.", describeUse(n), describe(r)))
			}
		}
	}
}

func isReshape(n *gorgonia.Node) bool { return n.Op() != nil && typeName(n.Op()) == "reshapeOp" }

// slopeOfValue reports whether the gradient of a computed node may be computed from its
// value.
func slopeOfValue(n *gorgonia.Node) bool {
	switch typeName(n.Op()) {
	case "elemUnaryOp":
		return slices.Contains([]string{"tanh", "sigmoid", "exp", "sqrt", "inv", "invSqrt", "expm1"}, fmt.Sprint(n.Op()))
	case "elemBinOp":
		return fmt.Sprint(n.Op()) == "÷ false" || fmt.Sprint(n.Op()) == "^ false"
	case "linAlgBinOp", "tensordotOp", "sumOp", "repeatOp", "transposeOp", "concatOp", "sliceOp", "byIndicesOp", "im2colOp", "upsampleOp", "maxPoolOp", "BatchNormOp":
		return false
	}
	return true
}

// writesOver reports whether Gorgonia's machine may write the result of r over its
// operand n, whose value the gradient of r does not need.
func writesOver(r, n *gorgonia.Node) bool {
	op := r.Op()
	if i := op.OverwritesInput(); i < 0 || i >= len(children(r)) || children(r)[i] != n {
		return false
	}
	switch typeName(op) {
	case "elemBinOp":
		return fmt.Sprint(op) == "+ false" || fmt.Sprint(op) == "- false"
	case "elemUnaryOp":
		return slices.Contains([]string{"neg", "tanh", "sigmoid", "exp", "sqrt", "inv", "expm1"}, fmt.Sprint(op))
	}
	return false
}
