package graph

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestConstantsAreMadeAnew has numbers and arrays as first operands: the rebuilt
// loss is that by hand, and the user's graph is as before.
func TestConstantsAreMadeAnew(t *testing.T) {
	const n = 3000
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(n))
	w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(n), gorgonia.WithInit(gorgonia.Zeroes()))
	array := func(first float64) *gorgonia.Node {
		values := make([]float64, n)
		values[0] = first
		return gorgonia.NewConstant(tensor.New(tensor.WithShape(n), tensor.WithBacking(values)))
	}
	node := gorgonia.Must
	one, two := array(1), array(2)
	y := node(gorgonia.Add(one, node(gorgonia.Add(node(gorgonia.Mul(gorgonia.NewConstant(0.5), w)), x))))
	y = node(gorgonia.Sub(gorgonia.NewConstant(1.0), node(gorgonia.Add(two, y))))
	cost := node(gorgonia.Mul(gorgonia.NewConstant(0.25), node(gorgonia.Sum(node(gorgonia.Square(y))))))
	q := &Problem{Cost: cost, Output: y, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w}, Divergence: HalfSquared}
	params, err := q.LearnableParams()
	must(t, err)
	before := slices.Clone(g.AllNodes())
	base, err := NewBase(q, params, q.Example(), nil)
	must(t, err)
	must(t, base.Feed(q.Example()))
	must(t, base.Run())
	// All elements of y are 1 but for the first, 1 - (2 + 1).
	if got, want := base.LossValue(), 0.25*((n-1)*1+4); got != want {
		t.Errorf("rebuilt loss %v, want %v", got, want)
	}
	if !slices.Equal(before, g.AllNodes()) {
		t.Errorf("the user's graph had %d nodes, now it has %d", len(before), len(g.AllNodes()))
	}
}

// TestOperandsAfterStabilisation has BinaryXent of a sigmoid, after which Gorgonia's
// look-up by ID gives the operands of another node.
func TestOperandsAfterStabilisation(t *testing.T) {
	must(t, apoops.CheckOperands())
	g := gorgonia.NewGraph()
	matrix := func(name string, rows, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(rows, cols), gorgonia.WithInit(gorgonia.GlorotN(1)))
	}
	x, w, y := matrix("x", 2, 3), matrix("w", 3, 1), matrix("y", 2, 1)
	p := gorgonia.Must(gorgonia.Sigmoid(gorgonia.Must(gorgonia.Mul(x, w))))
	gorgonia.Must(gorgonia.BinaryXent(p, y))
	confused := 0
	for _, n := range g.AllNodes() {
		if n.Op() != nil && n.Op().Arity() > 0 && len(children(n)) != n.Op().Arity() {
			t.Errorf("%s has %d operands", describe(n), len(children(n)))
		}
		if g.Node(n.ID()) != n {
			confused++
		}
	}
	if confused == 0 {
		t.Skip("Gorgonia finds all nodes by their IDs now")
	}
}
