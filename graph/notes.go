package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// Notes name what the passes rebuilt so far compute differently from the user's own
// machine, and faults of that machine which they found: one sentence each, with the
// node's name.
func (q *Problem) Notes() []string { return slices.Clone(q.notes.lines) }

// notes are sentences in the order in which they came up, each once.
type notes struct{ lines []string }

func (s *notes) add(line string) {
	if !slices.Contains(s.lines, line) {
		s.lines = append(s.lines, line)
	}
}

// noteProbabilities says so where the output is probabilities and the divergence takes
// logits.
func (q *Problem) noteProbabilities() {
	kind, logits := "", (*gorgonia.Node)(nil)
	switch q.Divergence.Name {
	case CategoricalKL.Name, CategoricalReverseKL.Name:
		kind, logits = "softmax", softmaxOf(q.Output)
	case BernoulliKL.Name, BernoulliReverseKL.Name:
		kind = "sigmoid"
		logits, _ = unary(q.Output, kind)
	}
	if logits != nil {
		q.notes.add(fmt.Sprintf("Output is the %s of %s, but the divergence %s takes logits: give the node that the %s is of as Output.", kind, describeUse(logits), q.Divergence.Name, kind))
	}
}

// softmaxOf is z where n is softmax(z), as Gorgonia's SoftMax or as exp(z) over its sums
// in rows, and nil for other nodes.
func softmaxOf(n *gorgonia.Node) *gorgonia.Node {
	if z, ok := operand(n, "softmaxOp"); ok {
		if f := fieldsOf(n.Op()); f.truth("isLog") || f.err != nil {
			return nil // normalised logits are logits too
		}
		return z
	}
	e, sums, ok := binary(n, "÷")
	if !ok {
		return nil
	}
	z, ok := unary(e, "exp")
	for ok && sums.Op() != nil && typeName(sums.Op()) != "sumOp" {
		all := children(sums)
		if name := typeName(sums.Op()); name != "reshapeOp" && name != "repeatOp" {
			return nil
		}
		sums = all[0]
	}
	if of, isSum := operand(sums, "sumOp"); ok && isSum && of == e {
		return z
	}
	return nil
}
