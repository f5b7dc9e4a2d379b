package graph_test

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// graphState is all that a rebuild must leave as it is of the user's graph.
type graphState struct {
	nodes    gorgonia.Nodes
	operands []gorgonia.Nodes
	derivs   []*gorgonia.Node
	names    []string
	values   []gorgonia.Value
	numbers  [][]float64
	inputs   gorgonia.Nodes
}

func snapshot(g *gorgonia.ExprGraph) *graphState {
	s := &graphState{nodes: slices.Clone(g.AllNodes()), inputs: g.Inputs()}
	for _, n := range s.nodes {
		s.operands, s.derivs = append(s.operands, apoops.Operands(n)), append(s.derivs, n.Deriv())
		s.names, s.values = append(s.names, n.Name()), append(s.values, n.Value())
		var v []float64
		if n.Value() != nil {
			v = numbers(n.Value())
		}
		s.numbers = append(s.numbers, v)
	}
	return s
}

// compare reports nodes that are new or gone, and nodes with other operands,
// derivatives, names or values.
func (s *graphState) compare(t *testing.T, g *gorgonia.ExprGraph) {
	t.Helper()
	if !slices.Equal(s.nodes, g.AllNodes()) {
		t.Fatalf("the user's graph had %d nodes and has %d: %v", len(s.nodes), len(g.AllNodes()), g.AllNodes())
	}
	now := snapshot(g)
	for i, n := range s.nodes {
		if !slices.Equal(s.operands[i], now.operands[i]) || s.derivs[i] != now.derivs[i] || s.names[i] != now.names[i] {
			t.Errorf("node %v has changed", n)
		}
		if s.values[i] != now.values[i] || !slices.Equal(s.numbers[i], now.numbers[i]) {
			t.Errorf("the value of node %v has changed", n)
		}
	}
	if !slices.Equal(s.inputs, now.inputs) {
		t.Errorf("the user's graph had the inputs %v and has %v", s.inputs, now.inputs)
	}
}
