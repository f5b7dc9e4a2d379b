package trainers

import (
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// finiteAll reports an array of the training that is not finite.
func finiteAll(t *testing.T, tr *Trainer) {
	t.Helper()
	for _, a := range tr.engine.tensors() {
		if a.Value.Dtype() != tensor.Uint64 && !finite(a) {
			t.Fatalf("%s is not finite", a.Name)
		}
	}
}

// TestFactorsBeyondFloat16 takes inputs whose second moments are beyond float16's range:
// they are left out and counted, in checkpoints too, and the training goes on.
func TestFactorsBeyondFloat16(t *testing.T) {
	shampoo := Shampoo(1e-9)
	shampoo.RootEvery, shampoo.Eps = 1, 1
	ekfac := EKFAC(1e-6)
	ekfac.Damping = 1 // less makes the momentum overflow
	for _, o := range []Optimizer{KFAC(1e-6), ekfac, shampoo} {
		start := func(f apoops.Format) *Trainer {
			tr, err := New(layers.MLP(4, 3), toyLoss, o, EveryK(0), Precision(f, precision.StaticScale(1)))
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		b := rowsOf(toyData(t, tensor.Float32), 0, 12)
		for i := range b.X[0].Float32s() {
			b.X[0].Float32s()[i] *= 1e4
		}
		low, wide := start(apoops.Float16), start(apoops.BFloat16)
		for range 3 {
			for _, tr := range []*Trainer{low, wide} {
				if s, err := tr.Step(b); err != nil {
					t.Fatalf("%s: %v, skipped %v", o.Name(), err, s.StepSkipped)
				}
				finiteAll(t, tr)
			}
		}
		if low.Fallbacks() == 0 || wide.Fallbacks() != 0 {
			t.Errorf("%s: %d failures in float16, %d in bfloat16: want some and none", o.Name(), low.Fallbacks(), wide.Fallbacks())
		}
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := low.Save(path); err != nil {
			t.Fatal(err)
		}
		resumed := start(apoops.Float16)
		if err := resumed.Load(path); err != nil {
			t.Fatal(err)
		}
		if resumed.Fallbacks() != low.Fallbacks() {
			t.Errorf("%s: %d failures, %d after Load", o.Name(), low.Fallbacks(), resumed.Fallbacks())
		}
	}
}

// TestInversesThatFail has factors that rounding has made indefinite, beyond a damping far
// below their last place: failures are counted, and older inverses stay in use.
func TestInversesThatFail(t *testing.T) {
	o := KFAC(0.01)
	o.Damping, o.FactorEvery, o.InverseEvery = 1e-9, 1, 1
	for _, f := range lowFormats {
		tr := toyTrainer(t, o, EveryK(0), Precision(f))
		run(t, tr, 0, 40)
		finiteAll(t, tr)
		if tr.Fallbacks() == 0 {
			t.Errorf("%v: no failures", f)
		}
	}
	single := toyTrainer(t, o, EveryK(0))
	run(t, single, 0, 40)
	if n := single.Fallbacks(); n != 0 {
		t.Errorf("%d failures in float32", n)
	}
}

// flat is a net whose outputs and targets are near 0, and so its gradients.
func flat(t *testing.T, o Optimizer, opts ...Option) (*Trainer, graph.Batch) {
	t.Helper()
	tr, err := New(layers.MLP(4, 5, 3), graph.SquaredError, o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.Params() {
		for i := range p.Value.Float32s() {
			p.Value.Float32s()[i] = 0x1p-10 * float32(i%3-1)
		}
	}
	return tr, graph.NewBatch(rowsOf(toyData(t, tensor.Float32), 0, 12).X[0], targetsOf(0x1p-11))
}

func targetsOf(v float32) *tensor.Dense {
	x := make([]float32, 12*3)
	for i := range x {
		x[i] = v
	}
	return denseOf(x, 12, 3)
}

// TestScaleThatOnlyOthersOverflowAt has a loss scale at which the gradients of steps are
// finite, but not KFAC's moments, probes, or gradients of the calibration: a dynamic one is
// lowered until they are; with a static one they are left out and counted.
func TestScaleThatOnlyOthersOverflowAt(t *testing.T) {
	large := func(int) []*tensor.Dense { return []*tensor.Dense{targetsOf(1)} }
	kfac, ekfac := KFAC(0.01), EKFAC(0.01)
	ekfac.BasisEvery = 2
	for _, o := range []Optimizer{kfac, ekfac, Precond(0.01)} {
		opts := []Option{EveryK(0), SampledTargets(large)}
		if o.Name() == "precond" {
			opts = []Option{EveryK(2)}
		}
		dynamic, b := flat(t, o, append(opts, Precision(apoops.Float16, precision.DynamicScale(1<<24)))...)
		static, _ := flat(t, o, append(opts, Precision(apoops.Float16, precision.StaticScale(1<<24)))...)
		for range 3 {
			for _, tr := range []*Trainer{dynamic, static} {
				if s, err := tr.Step(b); err != nil || s.StepSkipped {
					t.Fatalf("%s: error %v, skipped %v", o.Name(), err, s.StepSkipped)
				}
				finiteAll(t, tr)
			}
		}
		s := dynamic.Scaler()
		if s.Lowered == 0 || s.Scale != float64(int(1<<24)>>s.Lowered) || s.Skipped != 0 || dynamic.Fallbacks()+dynamic.Skipped() != 0 {
			t.Errorf("%s: %+v, %d fallbacks, %d meta-steps skipped", o.Name(), *s, dynamic.Fallbacks(), dynamic.Skipped())
		}
		if static.Fallbacks()+static.Skipped() == 0 {
			t.Errorf("%s: nothing was left out at a static scale", o.Name())
		}
	}
}

func TestCalibrationLowersScale(t *testing.T) {
	b := rowsOf(toyData(t, tensor.Float32), 0, 12)
	from := CalibrateFrom(func(i int) (graph.Batch, error) {
		if i == 0 {
			return graph.NewBatch(b.X[0], targetsOf(0x1p-11)), nil
		}
		return graph.NewBatch(b.X[0], targetsOf(1)), nil
	})
	opts := []Option{Calibrated(CalibratedConfig{}), from, FSD(0)}
	for _, dynamic := range []bool{true, false} {
		scale := precision.WithScale(precision.LossScale{Start: 1 << 24, Dynamic: dynamic})
		tr, b := flat(t, SGDm(0.01), append(opts, Precision(apoops.Float16, scale))...)
		if s, err := tr.Step(b); err != nil || s.StepSkipped {
			t.Fatalf("error %v, skipped %v", err, s.StepSkipped)
		}
		finiteAll(t, tr)
		if r := tr.Rates()[0]; !(r > 1e-3 && r < 1e3) {
			t.Errorf("the rate is %v", r)
		}
		if s := tr.Scaler(); (s.Lowered > 0) != dynamic || s.Skipped != 0 {
			t.Errorf("%+v", *s)
		}
	}
	all := CalibrateFrom(func(int) (graph.Batch, error) { return graph.NewBatch(b.X[0], targetsOf(1)), nil })
	tr, first := flat(t, SGDm(0.01), Calibrated(CalibratedConfig{}), all, FSD(0), Precision(apoops.Float16, precision.StaticScale(1<<24)))
	_, err := tr.Step(first)
	wantError(t, "Step", err, "step 0", "CalibrateFrom", "loss scale", "1.6777216e+07")
}

// TestReachOfInversesIn16Bits: between two inversions a step needs no copy of what it may
// change, unless rounding has left an inverse that is far beyond 1/damping.
func TestReachOfInversesIn16Bits(t *testing.T) {
	o := KFAC(0.01)
	o.InverseEvery = 4
	tr := toyTrainer(t, o, EveryK(0), Precision(apoops.BFloat16))
	stays := func(step int) bool {
		return tr.engine.Update.StaysFinite(rule.Input{T: step, Norm: 1}, 1, false, 0)
	}
	if stays(1) {
		t.Error("before the first inverses a step is certain to stay finite")
	}
	run(t, tr, 0, 3)
	if !stays(4) || stays(5) {
		t.Errorf("stays finite at step 4: %v, at 5, with an inversion: %v", stays(4), stays(5))
	}
	for _, a := range tr.engine.Update.State() {
		if a.Name == "dense0/inverse/A" {
			a.Value.Float32s()[0] = 1e36
		}
	}
	tr.engine.invalidate()
	if stays(4) {
		t.Error("an inverse of 1e36 is certain to stay finite")
	}
}
