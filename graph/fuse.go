package graph

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// fusing has rebuilt passes use the ops of package apoops for what they recognise.
// Tests turn it off.
var fusing = true

// patterns are what is looked for, in this order, before a node of the user's is
// rebuilt op by op. Each looks at n, the last node of what it knows, and returns nil
// where the graph is not exactly that.
var patterns = []func(f *fuser, n *gorgonia.Node) *fusion{
	matchLoss, matchLeaky, matchActivation, matchLayer, matchElementwise,
}

// fusion stands for the nodes between its operands and the one that was matched.
type fusion struct {
	operands gorgonia.Nodes // of the user's graph
	// build makes the node in the rebuilt graph, of the operands there.
	build func(x gorgonia.Nodes) (*gorgonia.Node, error)
}

// fuser finds parts of a user's graph that one op of package apoops computes, with
// the same values and gradients to rounding.
type fuser struct {
	pass    *Pass
	leaf    map[*gorgonia.Node]*gorgonia.Node
	readers map[*gorgonia.Node]gorgonia.Nodes // of what is rebuilt
	learned map[*gorgonia.Node]bool           // what depends on parameters
}

func newFuser(root *gorgonia.Node, leaf map[*gorgonia.Node]*gorgonia.Node, p *Pass) *fuser {
	f := &fuser{pass: p, leaf: leaf, readers: make(map[*gorgonia.Node]gorgonia.Nodes), learned: make(map[*gorgonia.Node]bool)}
	if fusing && !p.plain {
		f.survey(root)
	}
	return f
}

// survey finds the readers of all that n is computed from, and whether n depends on
// parameters. What leaf replaces is not looked into.
func (f *fuser) survey(n *gorgonia.Node) bool {
	if l, seen := f.learned[n]; seen {
		return l
	}
	_, replaced := f.leaf[n]
	f.learned[n] = replaced && !slices.Contains(f.pass.fed, n)
	if replaced {
		return f.learned[n]
	}
	learned := false
	for _, c := range children(n) {
		learned = f.survey(c) || learned
		f.readers[c] = append(f.readers[c], n)
	}
	f.learned[n] = learned
	return learned
}

// rebuild makes what stands for n, nil where no pattern fits.
func (f *fuser) rebuild(n *gorgonia.Node, visit func(*gorgonia.Node) (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	if !f.pass.Training() {
		if err := checkEvaluated(n); err != nil {
			return nil, err
		}
		if isDropout(n) {
			return visit(children(n)[0])
		}
	}
	if !fusing || f.pass.plain || n.Op() == nil || !isFloat(n) {
		return nil, nil
	}
	for _, match := range patterns {
		m := match(f, n)
		if m == nil {
			continue
		}
		x := make(gorgonia.Nodes, len(m.operands))
		for i, c := range m.operands {
			var err error
			if x[i], err = visit(c); err != nil {
				return nil, err
			}
		}
		return m.build(x)
	}
	return nil, nil
}

// inner reports whether n is computed and read by a pattern alone, which reads it so
// many times. Reading its size does not count: Gorgonia's broadcasts and means do it.
func (f *fuser) inner(n *gorgonia.Node, reads int) bool {
	for _, r := range f.readers[n] {
		if typeName(r.Op()) != "sizeOp" {
			reads--
		}
	}
	return reads == 0 && f.open(n)
}

// open reports whether n is computed in the rebuilt graph as in the user's.
func (f *fuser) open(n *gorgonia.Node) bool { return n.Op() != nil && f.leaf[n] == nil }

// isParameter reports whether n is a leaf that gradients may be wanted by. The ops
// of package apoops give none by leaves that they take for data.
func (f *fuser) isParameter(n *gorgonia.Node) bool { return n.Op() == nil && f.learned[n] }

func isFloat(n *gorgonia.Node) bool { return apoops.IsFloat(n.Dtype()) }
