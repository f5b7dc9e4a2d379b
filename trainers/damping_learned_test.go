package trainers

import (
	"math"
	"testing"

	"gorgonia.org/tensor"
)

// TestLearnedDampingFindsItsValue begins with dampings of KFAC that are a hundred times above
// and below the range of those that suit a rate, which stays: the loss comes near that of the
// best fixed one.
func TestLearnedDampingFindsItsValue(t *testing.T) {
	const rate = 0.3
	loss := func(damping float64, opts ...Option) (float64, map[string]float64) {
		o := KFAC(rate)
		o.Momentum, o.KLClip, o.Damping, o.FactorEvery, o.InverseEvery = 0, 0, damping, 1, 1
		tr := toyTrainer(t, o, append([]Option{Dtype(tensor.Float64)}, opts...)...)
		run(t, tr, 0, 100)
		r, err := tr.Evaluate(toyData(t, tensor.Float64), 60)
		if err != nil {
			t.Fatal(err)
		}
		return r.Loss, tr.Hyperparameters()
	}
	best := math.Inf(1)
	for _, damping := range []float64{1e-3, 1e-2, 1e-1} {
		l, _ := loss(damping, EveryK(0))
		best = min(best, l)
	}
	for _, wrong := range []float64{1e-5, 1} {
		fixed, _ := loss(wrong, EveryK(0))
		learned, to := loss(wrong, EveryK(1), LearnDamping(), RateBounds(rate, rate), FSD(3), Meta(MetaAdam(0.2)))
		t.Logf("damping %v: loss %.3f fixed, %.3f learned (to %v); the best fixed one has %.3f", wrong, fixed, learned, to, best)
		if learned > 1.15*best || fixed < 1.25*best {
			t.Errorf("damping %v: loss %v fixed, %v learned; the best fixed one has %v", wrong, fixed, learned, best)
		}
	}
}
