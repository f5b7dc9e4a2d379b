package trainers

import (
	"math"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// normed is a layer of the tests that normalises by its running statistics in
// every pass, so that a pass which moved them, or read others, is found out.
type normed struct{ channels int }

const normedRate = 0.25

func (normed) Kind() string { return "normed" }

func (n normed) Params() ([]layers.Spec, error) {
	ones := layers.Normal(1)
	s := tensor.Shape{n.channels}
	return []layers.Spec{
		{Name: "mean", Shape: s, Init: layers.Zeros(), Statistic: true},
		{Name: "scale", Shape: s, Init: ones},
		{Name: "variance", Shape: s, Init: layers.Zeros(), Statistic: true},
		{Name: "shift", Shape: s, Init: ones},
	}, nil
}

func (normed) Apply(p *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	mean, scale, variance, shift := theta[0], theta[1], theta[2], theta[3]
	_, batchMean, batchVariance, err := apoops.BatchNorm(x, scale, shift, 1, apoops.Identity)
	if err != nil {
		return nil, err
	}
	p.Track(mean, batchMean, normedRate)
	p.Track(variance, batchVariance, normedRate)
	return apoops.BatchNormWith(x, scale, shift, mean, variance, 1, apoops.Identity)
}

func normedTrainer(t testing.TB, o Optimizer, opts ...Option) *Trainer {
	t.Helper()
	model := layers.Sequential(normed{4}, layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.1), normed{5}, layers.Dense(5, 3, apoops.Identity))
	tr, err := New(model, graph.SoftmaxCrossEntropy, o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func paramNamed(t testing.TB, tr *Trainer, name string) *tensor.Dense {
	t.Helper()
	for _, p := range tr.Params() {
		if p.Name == name {
			return p.Value
		}
	}
	t.Fatalf("no parameter %q", name)
	return nil
}

// inputMoments are mean and unbiased variance of the batch's columns.
func inputMoments(b graph.Batch) (mean, variance []float64) {
	x, n, cols := b.X[0].Float64s(), b.Len(), b.X[0].Shape()[1]
	mean, variance = make([]float64, cols), make([]float64, cols)
	for i, v := range x {
		mean[i%cols] += v / float64(n)
	}
	for i, v := range x {
		d := v - mean[i%cols]
		variance[i%cols] += d * d / float64(n-1)
	}
	return mean, variance
}

// TestStatisticsMoveOnceAStep follows the statistics of the inputs through steps
// with meta-steps, curvature, weight decay and calibration on other batches.
func TestStatisticsMoveOnceAStep(t *testing.T) {
	decayed := SGDm(0.05)
	decayed.WeightDecay = 0.1
	rules := everyOptimizer()
	unclipped := KFAC(0.02)
	unclipped.KLClip = 0
	rules["decayed"], rules["unclipped"] = decayed, unclipped
	for name, o := range rules {
		all := map[string][]Option{"": {EveryK(1), WSD(0.1)}}
		if name == "adam" || name == "unclipped" {
			all["calibrated "] = []Option{EveryK(2), Calibrated(CalibratedConfig{Horizon: 30}), CalibrateFrom(toySource(t, tensor.Float64))}
		}
		for kind, opts := range all {
			t.Run(kind+name, func(t *testing.T) {
				tr := normedTrainer(t, o, append(opts, Dtype(tensor.Float64))...)
				batches, err := NewBatches(toyData(t, tensor.Float64), 12, 5)
				if err != nil {
					t.Fatal(err)
				}
				wantMean, wantVariance := make([]float64, 4), make([]float64, 4)
				for step := range 8 {
					mean, variance := inputMoments(batches.At(step))
					for i := range mean {
						wantMean[i] += normedRate * (mean[i] - wantMean[i])
						wantVariance[i] += normedRate * (variance[i] - wantVariance[i])
					}
					if _, err := tr.Step(batches.At(step)); err != nil {
						t.Fatal(err)
					}
					if _, err := tr.Evaluate(toyData(t, tensor.Float64), 20); err != nil {
						t.Fatal(err)
					}
					got := append(append([]float64(nil), paramNamed(t, tr, "normed0/mean").Float64s()...), paramNamed(t, tr, "normed0/variance").Float64s()...)
					for i, want := range append(append([]float64(nil), wantMean...), wantVariance...) {
						if math.Abs(got[i]-want) > 1e-12 {
							t.Fatalf("step %d: statistic %d is %v, not %v", step, i, got[i], want)
						}
					}
				}
			})
		}
	}
}

// TestStatisticsWithoutMetaSteps compares K = 0 with meta-steps too short to move
// φ, bit for bit: no pass of a meta-step reads or moves other statistics.
func TestStatisticsWithoutMetaSteps(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, o := range []Optimizer{SGDm(0.05), Adam(0.005), PrecondPlain(0.05), KFAC(0.02)} {
			off := normedTrainer(t, o, Dtype(dt), EveryK(0))
			idle := normedTrainer(t, o, Dtype(dt), EveryK(3), Meta(MetaSGD(1e-300)))
			run(t, off, 0, 25)
			run(t, idle, 0, 25)
			for i, p := range off.Params() {
				sameArray(t, o.Name()+": "+p.Name, p.Value, idle.Params()[i].Value)
			}
		}
	}
}

// TestMetaStepSeesTheStepsStatistics takes steps too short to move the weights:
// J_B(θ') is J_B(θ), for statistics move after the meta-step.
func TestMetaStepSeesTheStepsStatistics(t *testing.T) {
	tr := normedTrainer(t, SGD(1e-200), Dtype(tensor.Float64), EveryK(1), SameBatch(), RateBounds(1e-250, 1e-150))
	batches, err := NewBatches(toyData(t, tensor.Float64), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[float64]bool)
	for range 3 {
		s, err := tr.Step(batches.At(0))
		if err != nil {
			t.Fatal(err)
		}
		if s.Meta.Loss != s.Loss || s.Meta.FSD != 0 {
			t.Fatalf("J_B(θ) = %v, J_B(θ') = %v, FSD = %v", s.Loss, s.Meta.Loss, s.Meta.FSD)
		}
		seen[s.Loss] = true
	}
	if len(seen) != 3 {
		t.Fatal("the loss does not depend on the statistics")
	}
}

// TestRefusedStepLeavesStatistics takes steps that are refused between others.
func TestRefusedStepLeavesStatistics(t *testing.T) {
	tr, untouched := normedTrainer(t, Adam(0.01), EveryK(2)), normedTrainer(t, Adam(0.01), EveryK(2))
	run(t, tr, 0, 5)
	run(t, untouched, 0, 5)
	huge := rowsOf(toyData(t, tensor.Float32), 0, 12)
	huge.X[0] = huge.X[0].Clone().(*tensor.Dense)
	huge.X[0].Float32s()[7] = 1e30 // its square overflows, the outputs do not
	_, err := tr.Step(huge)
	wantError(t, "batch variance overflows", err, "step 5", "normed0/variance", "not finite", "as before the step")
	huge.X[0].Float32s()[7] = float32(math.Inf(1))
	_, err = tr.Step(huge)
	wantError(t, "infinite input", err, "step 5", "gradient of normed0/scale", "in the output of normed0;")
	sameBits(t, "refused steps", tr.engine, untouched.engine)
	run(t, tr, 5, 9)
	run(t, untouched, 5, 9)
	sameBits(t, "afterwards", tr.engine, untouched.engine)
}

// TestFailedMetaStepMovesStatistics has the meta-step fail: the base step was
// taken, so the statistics moved with it.
func TestFailedMetaStepMovesStatistics(t *testing.T) {
	off := normedTrainer(t, SGD(0.05), EveryK(0))
	failing := normedTrainer(t, SGD(0.05), EveryK(1), WSDSchedule(func(int) float64 { return -1 }))
	run(t, off, 0, 1)
	b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	_, err = failing.Step(b.At(0))
	wantError(t, "negative λ", err, "meta-step at step 0")
	for i, p := range off.Params() {
		sameArray(t, p.Name, p.Value, failing.Params()[i].Value)
	}
}

// TestStatisticsAreEvaluated changes a statistic and looks at the evaluation.
func TestStatisticsAreEvaluated(t *testing.T) {
	tr := normedTrainer(t, SGD(0.05), EveryK(2))
	run(t, tr, 0, 5)
	loss := func() float64 {
		e, err := tr.Evaluate(toyData(t, tensor.Float32), 25)
		if err != nil {
			t.Fatal(err)
		}
		return e.Loss
	}
	before := loss()
	paramNamed(t, tr, "normed2/mean").Float32s()[2] += 3
	if after := loss(); after == before {
		t.Fatal("evaluation does not see the statistics")
	}
}

func TestStatisticsInCheckpoints(t *testing.T) {
	rates := []Option{EveryK(3), Seed(4), RatePerParam()}
	for _, o := range []Optimizer{Adam(0.01), PrecondPlain(0.05), KFAC(0.02)} {
		opts := rates
		if o.Name() == "precond-plain" {
			opts = rates[:2]
		}
		whole, first, second := normedTrainer(t, o, opts...), normedTrainer(t, o, opts...), normedTrainer(t, o, opts...)
		run(t, whole, 0, 20)
		run(t, first, 0, 8)
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := second.Load(path); err != nil {
			t.Fatal(err)
		}
		sameBits(t, "loaded", first.engine, second.engine)
		run(t, second, 8, 20)
		sameBits(t, "resumed", whole.engine, second.engine)

		s, err := checkpoint.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		const name = "theta/normed2/variance"
		for i := range s.Tensors {
			if s.Tensors[i].Name == name {
				s.Tensors[i].Value = denseOf(make([]float32, 6), 6)
			}
		}
		if err := checkpoint.Write(path, s); err != nil {
			t.Fatal(err)
		}
		wantError(t, "statistic of another shape", second.Load(path), path, name, "(6)", "(5)")
		sameBits(t, "after a refused checkpoint", whole.engine, second.engine)
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	tr := toyTrainer(t, Adam(0.01), rates...)
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, "checkpoint of another model", normedTrainer(t, Adam(0.01), rates...).Load(path), path, "theta/normed0/mean")
}

// TestOldCheckpointLoads reads a checkpoint written before there were statistics.
func TestOldCheckpointLoads(t *testing.T) {
	tr := toyTrainer(t, Adam(0.01), EveryK(2), Seed(3))
	path := filepath.Join("testdata", "before-statistics.checkpoint")
	if err := tr.Load(path); err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if tr.Steps() != 5 || s.Tensors[0].Name != "theta/dense0" {
		t.Fatalf("%d steps, %q", tr.Steps(), s.Tensors[0].Name)
	}
	sameArray(t, "dense0", tr.Params()[0].Value, s.Tensors[0].Value)
}

func TestStatisticsInSafetensors(t *testing.T) {
	tr := normedTrainer(t, SGD(0.05), EveryK(0))
	run(t, tr, 0, 5)
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := tr.SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	stored, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != 10 || len(tr.Params()) != 10 || len(tr.LastGradient()) != 6 {
		t.Fatalf("%d arrays stored of %d, %d gradients", len(stored), len(tr.Params()), len(tr.LastGradient()))
	}
	for i, p := range tr.Params() {
		if stored[i].Name != p.Name {
			t.Fatalf("array %d is %q, not %q", i, stored[i].Name, p.Name)
		}
		sameArray(t, p.Name, stored[i].Value, p.Value)
	}
	for i, name := range []string{"normed0/scale", "normed0/shift", "dense1", "normed2/scale", "normed2/shift", "dense3"} {
		if got := tr.LastGradient()[i].Name; got != name {
			t.Fatalf("gradient %d is that of %q, not %q", i, got, name)
		}
	}
}
