package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// rebuilder applies the ops of a user's graph once more, in another graph. It
// reads the user's nodes and changes nothing about them or their graph.
type rebuilder struct {
	pass *Pass
	done map[*gorgonia.Node]*gorgonia.Node // by the user's nodes
	g    *gorgonia.ExprGraph
	fuse *fuser
}

// rebuild applies the ops that root is computed with once more, in the graph of
// the given leaves: leaf maps each input of the old graph to a node of the new
// one. Constants are copied. Ops of package apoops get buffers of their own
// and, where they are dropout, the masks of the pass.
func rebuild(root *gorgonia.Node, leaf map[*gorgonia.Node]*gorgonia.Node, p *Pass) (out *gorgonia.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("graph: rebuilding %s: %v", describe(root), r)
		}
	}()
	r := &rebuilder{pass: p, done: make(map[*gorgonia.Node]*gorgonia.Node), fuse: newFuser(root, leaf, p)}
	for old, fresh := range leaf {
		r.done[old], r.g = fresh, fresh.Graph()
	}
	return r.visit(root)
}

func (r *rebuilder) visit(n *gorgonia.Node) (*gorgonia.Node, error) {
	if m, ok := r.done[n]; ok {
		return m, nil
	}
	m, err := r.apply(n)
	if err == nil && !isConstant(n.Op()) {
		m, err = r.pass.storage.rounded(m)
	}
	if err != nil {
		return nil, err
	}
	r.done[n] = m
	if !isConstant(n.Op()) && !m.IsScalar() && m.Dtype() != tensor.Int {
		r.pass.outputs = append(r.pass.outputs, output{describeUse(n), m})
	}
	return m, nil
}

func (r *rebuilder) apply(n *gorgonia.Node) (*gorgonia.Node, error) {
	if n.Op() == nil {
		return nil, notListed(n)
	}
	if isConstant(n.Op()) {
		return r.constant(n)
	}
	if m, err := r.fuse.rebuild(n, r.visit); m != nil || err != nil {
		return m, err
	}
	operands := children(n)
	fresh := make(gorgonia.Nodes, len(operands))
	for i, c := range operands {
		var err error
		if fresh[i], err = r.visit(c); err != nil {
			return nil, err
		}
	}
	m, err := applyAgain(n, fresh, r.pass)
	return m, errors.Wrapf(err, "graph: node %d (%v) cannot be rebuilt", n.ID(), n.Op())
}

// applyAgain applies the op of node n, or one that stands for it, to operands of
// the rebuilt graph.
func applyAgain(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	if f, ok := n.Op().(apoops.Cloner); ok {
		return gorgonia.ApplyOp(f.Clone(p.Stream), operands...)
	}
	if replace, ok := replacements[typeName(n.Op())]; ok {
		m, err := replace(n, operands, p)
		if m != nil || err != nil {
			return m, err
		}
	}
	if err := checkStock(n.Op()); err != nil {
		return nil, err
	}
	m, err := gorgonia.ApplyOp(n.Op(), operands...)
	if err == nil && !slices.Equal(children(m), operands) {
		return nil, errSameHash // Gorgonia gave another node of the graph
	}
	return m, err
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
