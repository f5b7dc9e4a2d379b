package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// rebuild applies the ops that root is computed with once more, in the graph of
// the given leaves: leaf maps each input of the old graph to a node of the new
// one. Ops of package apoops get buffers of their own and, where they are
// dropout, the masks of the pass.
func rebuild(root *gorgonia.Node, leaf map[*gorgonia.Node]*gorgonia.Node, p *Pass) (out *gorgonia.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("graph: rebuilding %s: %v", describe(root), r)
		}
	}()
	done := make(map[*gorgonia.Node]*gorgonia.Node)
	var visit func(n *gorgonia.Node) (*gorgonia.Node, error)
	visit = func(n *gorgonia.Node) (*gorgonia.Node, error) {
		if m, ok := done[n]; ok {
			return m, nil
		}
		if m, ok := leaf[n]; ok {
			done[n] = m
			return m, nil
		}
		m, err := rebuildNode(n, visit, p)
		if err == nil {
			done[n] = m
			if !m.IsScalar() && m.Dtype() != tensor.Int {
				p.outputs = append(p.outputs, output{describeUse(n), m})
			}
		}
		return m, err
	}
	return visit(root)
}

func rebuildNode(n *gorgonia.Node, visit func(*gorgonia.Node) (*gorgonia.Node, error), p *Pass) (*gorgonia.Node, error) {
	operands := children(n)
	if n.Op() == nil {
		return nil, errors.Errorf("graph: input %q of the graph is listed neither as an input, a target nor a parameter", n.Name())
	}
	if len(operands) == 0 && isConstant(n.Op()) {
		return n, nil // constants may come from another graph
	}
	fresh := make(gorgonia.Nodes, len(operands))
	for i, c := range operands {
		var err error
		if fresh[i], err = visit(c); err != nil {
			return nil, err
		}
	}
	m, err := applyAgain(n, fresh, p)
	return m, errors.Wrapf(err, "graph: node %d (%v) cannot be rebuilt", n.ID(), n.Op())
}

// applyAgain applies the op of node n, or one that stands for it, to operands of
// the rebuilt graph.
func applyAgain(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	if f, ok := n.Op().(apoops.Fresher); ok {
		return gorgonia.ApplyOp(f.Fresh(p.Stream), operands...)
	}
	if replace, ok := replacements[typeName(n.Op())]; ok {
		return replace(n, operands, p)
	}
	if err := checkStock(n.Op()); err != nil {
		return nil, err
	}
	return gorgonia.ApplyOp(n.Op(), operands...)
}

// describeUse names a node of the user's, and the leaves that it puts to use: of
// a product of features and weights, the weights.
func describeUse(n *gorgonia.Node) string {
	text := describe(n)
	conjunction := " with "
	for _, c := range children(n) {
		if leaf := onlyLeaf(c); leaf != nil {
			text += conjunction + leaf.Name()
			conjunction = " and "
		}
	}
	return text
}

// onlyLeaf is the one leaf that n is made from, numbers aside, such as the bias
// behind its broadcast; nil where there are more.
func onlyLeaf(n *gorgonia.Node) *gorgonia.Node {
	for n.Op() != nil {
		arrays := slices.DeleteFunc(children(n), (*gorgonia.Node).IsScalar)
		if len(arrays) != 1 {
			return nil
		}
		n = arrays[0]
	}
	return n
}
