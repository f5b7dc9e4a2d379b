package trainers

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// droppedNet has two layers of Gorgonia's dropout.
func droppedNet() *stockNet {
	return newStockNet(tensor.Float64, 6, func(s *stockNet, rows int) {
		s.inputs(rows, 12)
		h := s.affine(must(gorgonia.Dropout(s.x, 0.2)), 16, gorgonia.Tanh)
		s.classify(s.affine(must(gorgonia.Dropout(h, 0.5)), 10, nil))
	})
}

// TestGorgoniasDropoutIsSeeded trains a graph with Gorgonia's dropout without the
// user's machine: the same seed gives the same bits.
func TestGorgoniasDropoutIsSeeded(t *testing.T) {
	train := func(seed uint64) []float64 {
		s := droppedNet()
		tr := fromStock(t, s, SGDm(0.05), EveryK(2), FSD(0.1, graph.CategoricalKL), Seed(seed))
		for step := range 4 {
			if _, err := tr.Step(s.batch(step)); err != nil {
				t.Fatal(err)
			}
		}
		if notes := strings.Join(tr.Notes(), "\n"); strings.Count(notes, "draws masks of its own") != 2 {
			t.Errorf("notes %q", notes)
		}
		var all []float64
		for _, p := range s.problem.Params {
			all = append(all, p.Value().(*tensor.Dense).Float64s()...)
		}
		return append(all, tr.Rates()...)
	}
	first := train(3)
	if !slices.Equal(first, train(3)) {
		t.Error("the same seed gives other weights")
	}
	if slices.Equal(first, train(4)) {
		t.Error("another seed gives the same weights")
	}
}

// TestGorgoniasDropoutIsWrapped takes steps with the gradients of the user's own
// machine, which draws masks of its own.
func TestGorgoniasDropoutIsWrapped(t *testing.T) {
	s := droppedNet()
	solver, err := Wrap(s.problem, SGDm(0.05), EveryK(1), FSD(0.1, graph.CategoricalKL), Seed(3))
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(solver.Notes(), "\n"); strings.Count(notes, "draws masks of its own") != 2 || strings.Count(notes, "by p instead of 1-p") != 1 {
		t.Errorf("notes %q", notes)
	}
	if _, err := gorgonia.Grad(s.problem.Cost, s.problem.Params...); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(s.g, gorgonia.BindDualValues(s.problem.Params...))
	defer vm.Close()
	b := s.batch(1)
	for range 3 {
		for _, err := range []error{gorgonia.Let(s.x, b.X[0]), gorgonia.Let(s.y, b.T[0]), vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(s.problem.Params))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		vm.Reset()
	}
	if last := solver.Last(); last.Meta == nil || !(last.Meta.FSD > 0) {
		t.Errorf("%+v", last)
	}
}

// TestRandomNodesBecomeInputs follows the advice that the refusal of a random node
// gives: an input of its shape, listed, with new numbers before each run.
func TestRandomNodesBecomeInputs(t *testing.T) {
	build := func(noise func(g *gorgonia.ExprGraph) *gorgonia.Node) (q graph.Problem, x, y, n *gorgonia.Node) {
		g := gorgonia.NewGraph()
		matrix := func(name string, rows, cols int) *gorgonia.Node {
			return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(rows, cols), gorgonia.WithInit(gorgonia.GlorotU(1)))
		}
		x, y = matrix("x", 5, 3), matrix("y", 5, 2)
		w := matrix("w", 3, 2)
		n = noise(g)
		out := must(gorgonia.Add(must(gorgonia.Mul(x, w)), n))
		cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(out, y))))))
		return graph.Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{w}, Divergence: graph.HalfSquared}, x, y, n
	}
	q, _, _, _ := build(func(g *gorgonia.ExprGraph) *gorgonia.Node {
		return gorgonia.GaussianRandomNode(g, tensor.Float64, 0, 1, 5, 2)
	})
	_, err := Wrap(q, SGD(0.1), EveryK(1), FSD(0.1, graph.HalfSquared))
	wantError(t, "random node", err, "make an input of its shape", "inputs", "gorgonia.Let", "before each run")

	q, x, y, n := build(func(g *gorgonia.ExprGraph) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("noise"), gorgonia.WithShape(5, 2))
	})
	q.Inputs = append(q.Inputs, n)
	solver, err := Wrap(q, SGD(0.1), EveryK(1), FSD(0.1, graph.HalfSquared))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gorgonia.Grad(q.Cost, q.Params...); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(x.Graph(), gorgonia.BindDualValues(q.Params...))
	defer vm.Close()
	numbers := func(n *gorgonia.Node) *tensor.Dense {
		return tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(gorgonia.Gaussian(0, 1)(tensor.Float64, n.Shape()...)))
	}
	if err := gorgonia.Let(x, numbers(x)); err != nil {
		t.Fatal(err)
	}
	if err := gorgonia.Let(y, numbers(y)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, err := range []error{gorgonia.Let(n, numbers(n)), vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(q.Params))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		vm.Reset()
	}
	if solver.Last().Meta == nil {
		t.Errorf("%+v", solver.Last())
	}
}

// TestFromProblemKeepsFrozenStatistics has batch norms out of training: the loss is
// by their running statistics, which stay.
func TestFromProblemKeepsFrozenStatistics(t *testing.T) {
	s := newStockNet(tensor.Float64, 6, stockNets["batch norm"])
	for _, op := range s.norms {
		if err := op.SetTraining(false); err != nil {
			t.Fatal(err)
		}
		mean, variance := op.Stats()
		mean.Memset(0.3)
		variance.Memset(2.0)
	}
	tr := fromStock(t, s, SGDm(0.01), EveryK(1), FSD(0.1, graph.CategoricalKL))
	b := s.batch(1)
	loss, err := tr.Evaluate(Data{X: b.X[0], T: b.T[0]}, 6)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := tr.Step(b)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Loss != loss.Loss {
		t.Errorf("the loss of the step is %v, by running statistics %v", stats.Loss, loss.Loss)
	}
	for i, op := range s.norms {
		mean, variance := op.Stats()
		for _, v := range mean.Data().([]float64) {
			if v != 0.3 {
				t.Fatalf("the running mean of batch norm %d is %v", i, mean)
			}
		}
		for _, v := range variance.Data().([]float64) {
			if v != 2 {
				t.Fatalf("the running variance of batch norm %d is %v", i, variance)
			}
		}
	}
}
