package trainers

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// TestHyperparametersIn16Bits learns weight decay, damping and ε of each rule in 16 bits:
// they come near those of a run in float32, and a run that was stopped goes on to the same
// bits.
func TestHyperparametersIn16Bits(t *testing.T) {
	t.Parallel()
	for name, r := range tunedRules() {
		opts := append([]Option{EveryK(2), Meta(MetaAdam(0.05))}, r.learn...)
		single := toyTrainer(t, r.o, opts...)
		start := single.Hyperparameters()
		run(t, single, 0, 20)
		for _, f := range lowFormats {
			t.Run(name+" "+f.String(), func(t *testing.T) {
				opts := append(opts, Precision(f))
				whole := toyTrainer(t, r.o, opts...)
				run(t, whole, 0, 7)
				path := filepath.Join(t.TempDir(), "checkpoint")
				if err := whole.Save(path); err != nil {
					t.Fatal(err)
				}
				run(t, whole, 7, 20)
				resumed := toyTrainer(t, r.o, opts...)
				if err := resumed.Load(path); err != nil {
					t.Fatal(err)
				}
				run(t, resumed, 7, 20)
				sameBits(t, "resumed", whole.engine, resumed.engine)
				if a, b := whole.Scaler(), resumed.Scaler(); *a != *b {
					t.Errorf("loss scale %+v, resumed %+v", *a, *b)
				}
				for h, want := range single.Hyperparameters() {
					got := whole.Hyperparameters()[h]
					t.Logf("%s: from %.3g to %.3g, in float32 %.3g", h, start[h], got, want)
					if math.Abs(math.Log(got/want)) > 0.25*math.Abs(math.Log(want/start[h]))+0.05 {
						t.Errorf("%s goes from %v to %v, in float32 to %v", h, start[h], got, want)
					}
				}
			})
		}
	}
}

// TestMetaGradientsAreUnscaled compares ∂Q/∂φ by the loss scale: in bfloat16, whose range is
// float32's, a power of two changes no bit.
func TestMetaGradientsAreUnscaled(t *testing.T) {
	for name, r := range tunedRules() {
		gradient := func(opts ...Option) (all []float64) {
			tr := toyTrainer(t, r.o, append(append([]Option{EveryK(1), FSD(0.5), WSD(0.3)}, r.learn...), opts...)...)
			run(t, tr, 0, 1)
			for _, g := range tr.LastMetaGradient() {
				all = append(all, first(g.Value))
			}
			return all
		}
		want := gradient()
		for _, f := range lowFormats {
			one, scaled := gradient(Precision(f, precision.StaticScale(1))), gradient(Precision(f, precision.StaticScale(1024)))
			for j, g := range scaled {
				if f == apoops.BFloat16 && g != one[j] || math.Abs(g-one[j]) > 0.05*math.Abs(g) || math.Abs(g-want[j]) > 0.2*math.Abs(want[j]) {
					t.Errorf("%s, %v: ∂Q/∂φ %d is %v at the scale 1024, %v at 1, %v in float32", name, f, j, g, one[j], want[j])
				}
			}
		}
	}
}
