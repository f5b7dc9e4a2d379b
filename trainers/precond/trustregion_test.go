package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// TestTrustRegionLimitsTheDiscrepancy trains a linear net, whose discrepancy
// ½·mean (x·Δw)² is quadratic, with a P that stays, and computes what each step
// changed: as much as Trust allows where the whole step is longer, else P·G.
func TestTrustRegionLimitsTheDiscrepancy(t *testing.T) {
	const n, rows, rate = 4, 40, 0.5
	rng := rand.New(rand.NewPCG(17, 1))
	x := gaussian(rng, rows, n)
	y := make([]float64, rows)
	for i := range y {
		y[i] = rng.NormFloat64()
	}
	b := graph.NewBatch(dense(x), tensor.New(tensor.WithShape(rows, 1), tensor.WithBacking(y)))
	for _, limit := range []float64{1e-3, 1e6} {
		o := precond.TrustRegion(rate)
		o.Relative.Step, o.Relative.Trust, o.MomentumMode = 1e-300, limit, precond.MomentumNone
		tr, err := trainers.New(layers.DeepLinear(n, 1), graph.SquaredError, o, trainers.Dtype(tensor.Float64), trainers.EveryK(2), trainers.FSD(1), trainers.WSD(0.1), trainers.Seed(3))
		if err != nil {
			t.Fatal(err)
		}
		w := tr.Params()[0].Value.Float64s()
		start := append([]float64(nil), w...)
		for step := range 3 {
			copy(w, start)
			if _, err := tr.StepWith(b, b.X); err != nil {
				t.Fatal(err)
			}
			var fsd, whole float64
			for i := range rows {
				var d, g float64
				for j := range n {
					d += x.At(i, j) * (w[j] - start[j])
					g += x.At(i, j) * rate * apoops.Elements[float64](tr.LastGradient()[0].Value)[j]
				}
				fsd += d * d / 2 / rows
				whole += g * g / 2 / rows
			}
			if want := min(limit, whole); math.Abs(fsd-want) > 1e-9*want {
				t.Errorf("limit %v, step %d: a discrepancy of %v, want %v; the whole step has %v", limit, step, fsd, want, whole)
			}
			if whole <= 1e-3 {
				t.Fatalf("the whole step changes the network by %v only: the limit is not tested", whole)
			}
		}
	}
}
