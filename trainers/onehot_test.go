package trainers

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// TestSampledOneHotTargets compares rules that draw targets on a graph with one-hot
// targets with the same graph and class numbers.
func TestSampledOneHotTargets(t *testing.T) {
	for name, rule := range map[string]func() Optimizer{
		"kfac": func() Optimizer { return KFAC(0.01) }, "ekfac": func() Optimizer { return EKFAC(0.01) }, "singd": func() Optimizer { return SINGD(0.01) },
	} {
		rows, numbers := newStockNet(tensor.Float64, 6, stockNets["mlp"]), newStockNet(tensor.Float64, 6, stockNets["mlp"])
		y := gorgonia.NewVector(numbers.g, tensor.Int, gorgonia.WithShape(6), gorgonia.WithName("labels"))
		numbers.problem.Targets = gorgonia.Nodes{y}
		numbers.problem.Cost = must(apoops.SoftmaxCrossEntropy(numbers.problem.Output, y))
		var trainers [2]*Trainer
		for i, s := range []*stockNet{rows, numbers} {
			s.problem.Sample, s.problem.Divergence = graph.CategoricalTargets, graph.CategoricalKL
			trainers[i] = fromStock(t, s, rule(), EveryK(2), Seed(3))
		}
		for step := range 8 {
			b := rows.batch(step)
			labels, ok := oneHot(b.T[0])
			if !ok {
				t.Fatal("the targets are not one-hot")
			}
			for i, batch := range []graph.Batch{b, graph.NewBatch(b.X[0], denseOf(labels, 6))} {
				if _, err := trainers[i].Step(batch); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		if d := rows.far(numbers); !(d < 1e-9) {
			t.Errorf("%s: weights are %.1e apart", name, d)
		}
	}
}

// TestFromProblemCannotDivide has options refused that a graph of one size cannot follow.
func TestFromProblemCannotDivide(t *testing.T) {
	s := newStockNet(tensor.Float64, 6, stockNets["mlp"])
	_, err := FromProblem(s.problem, SGD(0.1), EveryK(0), Accumulate(2))
	wantError(t, "Accumulate", err, "FromProblem", "Accumulate", "New")
}
