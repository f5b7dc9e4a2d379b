package curvature

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// TestFallbacks spoils the statistics in all ways and goes on training: factors
// that are not finite must be counted, and the weights stay finite with any.
func TestFallbacks(t *testing.T) {
	kfac, ekfac, shampoo := KFAC(0.01), EKFAC(0.01), Shampoo(0.01)
	kfac.FactorEvery, kfac.InverseEvery = 100, 2
	ekfac.FactorEvery, ekfac.BasisEvery = 100, 2
	shampoo.RootEvery = 2
	batches := classes(8, 12)
	for _, value := range []float64{math.NaN(), math.Inf(1), -1e9, 0} {
		for _, o := range []rule.Optimizer{kfac, ekfac, shampoo} {
			n := newTraining(t, perceptron(), graph.SoftmaxCrossEntropy, o, batches[0], nil)
			n.step(t, batches[0])
			state, spoiled := stateOf(n.rule), 0
			for _, name := range []string{"dense0/A", "dense0/G", "dense0/0,0/L"} {
				if s := state[name]; s != nil {
					array.Fill(s, value)
					spoiled++
				}
			}
			if spoiled == 0 {
				t.Fatalf("%s has no statistics of dense0", o.Name())
			}
			for _, b := range batches[1:] {
				n.step(t, b)
			}
			for _, w := range n.weights() {
				if !array.IsFinite(w) {
					t.Fatalf("%s, factors of %v: the weights are not finite", o.Name(), value)
				}
			}
			if !array.IsFinite(value) && n.rule.Fallbacks() == 0 {
				t.Errorf("%s, factors of %v: no fallback was counted", o.Name(), value)
			}
		}
	}
}

// TestLossWithoutSample wants Empirical to be asked for.
func TestLossWithoutSample(t *testing.T) {
	loss := graph.SoftmaxCrossEntropy
	loss.Sample = nil
	o := KFAC(0.01)
	b := classes(1, 12)[0]
	for _, empirical := range []bool{false, true} {
		o.Empirical = empirical
		n := newTraining(t, layers.MLP(4, 3), loss, o, b, nil)
		err := n.rule.Graphs().Prepare(b)
		if empirical != (err == nil) || err != nil && !strings.Contains(err.Error(), "Empirical") {
			t.Errorf("empirical %v: %v", empirical, err)
		}
	}
}

// TestOverflowedFactorsAreLeftOut takes a step on inputs whose Ā overflows: the
// running average stays and the step counts once.
func TestOverflowedFactorsAreLeftOut(t *testing.T) {
	batches := classes(2, 12)
	x := batches[1].X[0].Float64s()
	for i := range x {
		x[i] *= 1e200
	}
	kfac, ekfac := KFAC(1e-250), EKFAC(1e-250)
	kfac.FactorEvery, ekfac.FactorEvery, ekfac.ScaleEvery = 1, 1, 100
	for _, o := range []rule.Optimizer{kfac, ekfac} {
		n := newTraining(t, perceptron(), graph.SoftmaxCrossEntropy, o, batches[0], nil)
		n.step(t, batches[0])
		before := slices.Clone(stateOf(n.rule)["dense0/A"])
		n.step(t, batches[1])
		if !slices.Equal(stateOf(n.rule)["dense0/A"], before) {
			t.Errorf("%s: Ā has changed", o.Name())
		}
		if f := n.rule.Fallbacks(); f != 1 {
			t.Errorf("%s: %d fallbacks, want 1", o.Name(), f)
		}
	}
}
