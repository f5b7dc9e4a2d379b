package trainers

import (
	"fmt"
	"math"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/internal/array"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// TestMeasuredCurvature compares L with eᵀHe, from central differences of the
// gradient, and at a large r with the loss at the moved weights.
func TestMeasuredCurvature(t *testing.T) {
	tr, err := New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), graph.SoftmaxCrossEntropy, RMSprop(0.1), Dtype(tensor.Float64), Calibrated(CalibratedConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	data := toyData(t, tensor.Float64)
	b := data.rows(0, 12)
	if _, err := tr.Step(b); err != nil {
		t.Fatal(err)
	}
	l := tr.engine.learner.(*calibratedLearner)
	gradient := func() (float64, []*tensor.Dense) {
		loss, g, err := tr.gradient(b)
		if err != nil {
			t.Fatal(err)
		}
		return loss, array.CloneAll(g)
	}
	loss, g := gradient()
	p, err := l.firstProbe(b, loss, g)
	if err != nil {
		t.Fatal(err)
	}
	move := func(r float64) { l.form.descent.Move(tr.Params(), p.e, []float64{r, r}) }
	const h = 1e-5
	move(h)
	_, ahead := gradient()
	move(-2 * h)
	_, behind := gradient()
	move(h)
	want := (array.Inner(behind, p.e) - array.Inner(ahead, p.e)) / (2 * h)
	got, _, err := l.measure(p, b.X, 1e-4)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.l-want) > 2e-3*math.Abs(want) {
		t.Errorf("L = %v, eᵀHe = %v", got.l, want)
	}
	const r = 0.3
	if got, _, err = l.measure(p, b.X, r); err != nil {
		t.Fatal(err)
	}
	move(r)
	moved, _ := gradient()
	if want = 2 * (moved - loss + r*array.Inner(g, p.e)) / (r * r); math.Abs(got.l-want) > 1e-9*math.Abs(want) {
		t.Errorf("L = %v at r = %v, not %v", got.l, r, want)
	}
}

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

// TestMeasuredInSinglePrecision compares float32's L and F with float64's at
// the calibrated rate and a tenth of it. Far below it the loss differs by its
// rounding alone, and L must be 0 rather than that divided by r².
func TestMeasuredInSinglePrecision(t *testing.T) {
	at := func(dt tensor.Dtype, r float64) parabola {
		tr, err := New(layers.MLP(4, 64, 64, 3), graph.SoftmaxCrossEntropy, SGDm(0.01), Dtype(dt), Calibrated(CalibratedConfig{}))
		if err != nil {
			t.Fatal(err)
		}
		b := toyData(t, dt).rows(0, 48)
		loss, g, err := tr.gradient(b)
		if err != nil {
			t.Fatal(err)
		}
		l := tr.engine.learner.(*calibratedLearner)
		p, err := l.firstProbe(b, loss, g)
		if err != nil {
			t.Fatal(err)
		}
		x, _, err := l.measure(p, b.X, r)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	const r = 0.01
	for _, q := range []float64{1, 0.1} {
		single, double := at(tensor.Float32, q*r), at(tensor.Float64, q*r)
		for what, x := range map[string][2]float64{"N": {single.n, double.n}, "L": {single.l, double.l}, "F": {single.f, double.f}, "W": {single.w, double.w}} {
			if math.Abs(x[0]/x[1]-1) > 2e-4 {
				t.Errorf("at %v: %s is %v in float32, %v in float64", q*r, what, x[0], x[1])
			}
		}
	}
	if x := at(tensor.Float32, 1e-5*r); x.l != 0 || math.Abs(x.f/at(tensor.Float64, 1e-5*r).f-1) > 0.1 {
		t.Errorf("at %v: %+v", 1e-5*r, x)
	}
}
