package graph

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// logistic is x·W with Gorgonia's own binary cross-entropy of its sigmoid, which
// removes nodes from the graph.
type logistic struct{}

func (logistic) Init(uint64, tensor.Dtype) ([]*Param, error) { return nil, nil }

func (logistic) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return gorgonia.Mul(x[0], theta[0])
}

func stableXent(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
	p, err := gorgonia.Sigmoid(y)
	if err != nil {
		return nil, err
	}
	xent, err := gorgonia.BinaryXent(p, t[0])
	if err != nil {
		return nil, err
	}
	return gorgonia.Mean(gorgonia.Must(gorgonia.Sum(xent, 1)))
}

// TestLookupAfterStabilisation compares a model's loss with gorgonia.BinaryXent,
// value and gradient, with our own.
func TestLookupAfterStabilisation(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 1))
	params := []*Param{{Name: "w", Value: random(rng, 1, 3, 2), Matrix: true}}
	targets := tensor.New(tensor.WithShape(5, 2), tensor.WithBacking([]float64{0, 1, 1, 0, 0, 0, 1, 1, 0, 1}))
	batch := NewBatch(random(rng, 1, 5, 3), targets)
	loss, grads := make([]float64, 2), make([]*tensor.Dense, 2)
	for i, l := range []Loss{{Name: "stable", Build: stableXent}, BernoulliCrossEntropy} {
		base, err := NewBase(Objective{Model: logistic{}, Loss: l}, params, batch, nil)
		must(t, err)
		must(t, base.Feed(batch))
		must(t, base.Run())
		g, err := base.Grads()
		must(t, err)
		loss[i], grads[i] = base.LossValue(), g[0]
	}
	if !alike(loss[:1], loss[1:]) || !alike(grads[0].Float64s(), grads[1].Float64s()) {
		t.Errorf("losses %v, gradients %v and %v", loss, grads[0], grads[1])
	}
}

// TestMendLookup wants every node found by its ID after Gorgonia removed some.
func TestMendLookup(t *testing.T) {
	g := gorgonia.NewGraph()
	y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 2), gorgonia.WithName("y"))
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 2), gorgonia.WithName("x"))
	_, err := stableXent(gorgonia.Must(gorgonia.Tanh(x)), gorgonia.Nodes{y})
	must(t, err)
	confused := func() (n int) {
		for _, m := range g.AllNodes() {
			if g.Node(m.ID()) != m {
				n++
			}
		}
		return n
	}
	before := confused()
	must(t, mendLookup(g))
	if before == 0 || confused() != 0 {
		t.Errorf("%d nodes were taken for others, now %d", before, confused())
	}
}
