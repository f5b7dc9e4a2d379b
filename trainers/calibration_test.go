package trainers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pkg/errors"
	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TestCalibrationForgetsTheStart begins far below and thirty times
// above the fixed point.
func TestCalibrationForgetsTheStart(t *testing.T) {
	for name := range rateRules(1) {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dt), func(t *testing.T) {
				calibrated := func(start float64) float64 {
					tr := toyTrainer(t, rateRules(start)[name], Dtype(dt), Calibrated(CalibratedConfig{}), CalibrateFrom(toySource(t, dt)))
					run(t, tr, 0, 1)
					return base(tr)
				}
				fixed := calibrated(0.01)
				fixed = calibrated(fixed)
				for _, factor := range []float64{1e-6, 1e-3, 30} {
					if b := calibrated(factor * fixed); math.Abs(math.Log(b/fixed)) > 0.14 {
						t.Errorf("from %v times the fixed point %v: %v", factor, fixed, b)
					}
				}
			})
		}
	}
}

// TestCalibrationBeginsWithOneBatch: the rounds on five mini-batches follow those on the first
// one alone, and go on from its rate.
func TestCalibrationBeginsWithOneBatch(t *testing.T) {
	tr := toyTrainer(t, Adam(1e-5))
	find := func(batches int) *RateSearch {
		found, err := tr.FindRate(toySource(t, tensor.Float32), CalibratedConfig{Batches: batches})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	one, five := find(1), find(5)
	n := len(one.Rounds)
	if len(five.Rounds) <= n || !slices.Equal(five.Rounds[:n], one.Rounds) {
		t.Fatalf("the rounds on five mini-batches are\n%v\nthose on one\n%v", five.Rounds, one.Rounds)
	}
	if next := five.Rounds[n]; math.Abs(next.Rate-one.Rate) > 1e-12*one.Rate || next.N == one.Rounds[n-1].N {
		t.Errorf("after the rounds on one mini-batch, which find %v, comes %v", one.Rate, next)
	}
}

// TestCalibrationMeasuresWhatCounts: without λ_0 the discrepancy has no part in the rate, so
// that one which is not finite cannot disturb the calibration; only the meta-step after it does.
func TestCalibrationMeasuresWhatCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	q := newQuadratic(rng, 12, 3, 2)
	batch := q.batch(rng)
	rate := func(c CalibratedConfig, opts ...Option) float64 {
		tr, err := New(q.model, graph.SquaredError, SGD(1e-4), append(opts, Dtype(tensor.Float64), Calibrated(c))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.StepWith(batch, []*tensor.Dense{q.x}); err != nil {
			t.Fatal(err)
		}
		return base(tr)
	}
	infinite := mat.NewDense(q.m, q.m, nil)
	infinite.Apply(func(int, int, float64) float64 { return 1e200 }, infinite)
	want := rate(CalibratedConfig{}, FSD(0)) / 20 // the meta-step takes it to a twentieth
	if got := rate(CalibratedConfig{}, FSD(1, weighted(infinite))); math.Abs(got-want) > 1e-9*want {
		t.Errorf("the rate is %v, without function-space term %v", got, want)
	}
	if got := rate(CalibratedConfig{Lambda0: 1}, FSD(1, weighted(infinite))); got > 1e-4 {
		t.Errorf("with λ_0 the rate is %v: the discrepancy was not measured", got)
	}
}

// toySource serves batches of the toy set for a calibration.
func toySource(t testing.TB, dt tensor.Dtype) func(i int) (graph.Batch, error) {
	b, err := NewBatches(toyData(t, dt), 12, 6)
	if err != nil {
		t.Fatal(err)
	}
	return func(i int) (graph.Batch, error) { return b.At(i), nil }
}

// TestCalibrationLeavesNoTraces compares a first step after a calibration on
// other batches with that of the bare rule at the rate it had.
func TestCalibrationLeavesNoTraces(t *testing.T) {
	for name := range rateRules(1) {
		tr := toyTrainer(t, rateRules(0.01)[name], Calibrated(CalibratedConfig{}), CalibrateFrom(toySource(t, tensor.Float32)))
		run(t, tr, 0, 1)
		rate := base(tr) // R(0) = 1
		if name == "rmsprop" {
			rate *= math.Sqrt(1 - 0.99) // c_1
		}
		bare := toyTrainer(t, rateRules(rate)[name], EveryK(0))
		run(t, bare, 0, 1)
		for i, p := range tr.Params() {
			for j, w := range p.Value.Float32s() {
				if want := bare.Params()[i].Value.Float32s()[j]; math.Abs(float64(w-want)) > 1e-6*math.Abs(float64(want)) {
					t.Fatalf("%s: element %d of %s is %v, not %v", name, j, p.Name, w, want)
				}
			}
		}
	}
}

// TestCalibrationFromTheTrainingsBatches: the source may be that of the training, whose next
// batch overwrites the last one.
func TestCalibrationFromTheTrainingsBatches(t *testing.T) {
	after := func(shared bool) []*graph.Param {
		batches, err := NewBatches(toyData(t, tensor.Float32), 12, 6)
		if err != nil {
			t.Fatal(err)
		}
		source := toySource(t, tensor.Float32)
		if shared {
			source = batches.BatchAt
		}
		tr := toyTrainer(t, Adam(0.01), EveryK(2), Calibrated(CalibratedConfig{}), CalibrateFrom(source))
		for step := range 4 {
			if _, err := tr.Step(batches.At(step)); err != nil {
				t.Fatal(err)
			}
		}
		return tr.Params()
	}
	want := after(false)
	for i, p := range after(true) {
		sameArray(t, p.Name, p.Value, want[i].Value)
	}
}

// TestFailedCalibrationTakesTheStep lets the source fail after it has
// overwritten the gradient.
func TestFailedCalibrationTakesTheStep(t *testing.T) {
	good := toySource(t, tensor.Float32)
	tr := toyTrainer(t, SGD(0.05), Calibrated(CalibratedConfig{}), CalibrateFrom(func(i int) (graph.Batch, error) {
		if i == 2 {
			return graph.Batch{}, errors.New("disk full")
		}
		return good(i)
	}))
	b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Step(b.At(0))
	wantError(t, "source", err, "step 0", "batch 2", "disk full")
	plain := toyTrainer(t, SGD(0.05), EveryK(0))
	run(t, plain, 0, 1)
	for i, p := range plain.Params() {
		sameArray(t, p.Name, p.Value, tr.Params()[i].Value)
	}
}
