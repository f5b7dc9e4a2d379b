package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

// drawingOps are Gorgonia's ops that draw numbers themselves, by type name, with what errors
// call them. A rebuilt Problem has none: replaceDropout and wrongOps see to it.
var drawingOps = map[string]string{"dropoutOp": "gorgonia.Dropout", "randomOp": "a random node of Gorgonia"}

// checkRandom refuses Gorgonia's random ops among the nodes: they draw in evaluation too,
// other numbers in each pass, and without the training's seed.
func checkRandom(nodes gorgonia.Nodes) error {
	for _, n := range nodes {
		if n.Op() == nil {
			continue
		}
		if name, ok := drawingOps[typeName(n.Op())]; ok {
			return errors.Errorf("graph: %s (node %d, shape %v) draws without the training's seed, and in evaluation too: use layers.Dropout, or apoops.Dropout(x, rate, p.Random, p.NextStream()) where p.Training(); let other random numbers be inputs", name, n.ID(), n.Shape())
		}
	}
	return nil
}

// unseen are the nodes that n is computed from, n included, without those that the pass
// was asked for before.
func (p *Pass) unseen(n *gorgonia.Node) (all gorgonia.Nodes) {
	if p.seen == nil {
		p.seen = make(map[*gorgonia.Node]bool)
	}
	for stack := (gorgonia.Nodes{n}); len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !p.seen[top] {
			p.seen[top] = true
			all, stack = append(all, top), append(stack, children(top)...)
		}
	}
	return all
}
