package trainers

import (
	"math"
	"testing"

	"gorgonia.org/tensor"
)

// TestLearnedDampingFindsItsValue begins with dampings of KFAC that are a hundred times above
// and below the range of those that suit a rate, which stays: the loss comes near that of the
// best fixed one. The rate of the damping that is too small is larger: at 0.3 its loss is
// anything from 0.65 to 0.79, by rounding errors.
func TestLearnedDampingFindsItsValue(t *testing.T) {
	for _, c := range []struct{ rate, damping float64 }{{0.5, 1e-5}, {0.3, 1}} {
		loss := func(damping float64, opts ...Option) (float64, map[string]float64) {
			o := KFAC(c.rate)
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
		fixed, _ := loss(c.damping, EveryK(0))
		learned, to := loss(c.damping, EveryK(1), LearnDamping(), RateBounds(c.rate, c.rate), FSD(3), Meta(MetaAdam(0.2)))
		t.Logf("damping %v: loss %.3f fixed, %.3f learned (to %v); the best fixed one has %.3f", c.damping, fixed, learned, to, best)
		if learned > 1.15*best || fixed < 1.25*best {
			t.Errorf("damping %v: loss %v fixed, %v learned; the best fixed one has %v", c.damping, fixed, learned, best)
		}
	}
}
