package suite

import (
	"context"
	"math"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// variantJob is a run of an experiment's variant at the smoke scale.
func variantJob(t *testing.T, experiment, method, variant string) Job {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	m, err := methods.Get(method)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range e.VariantsOf(method, experiments.Small) {
		if v.Name != variant {
			continue
		}
		j, _, err := newJob(e, experiments.Smoke, m, v, 1)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	t.Fatalf("%s has no variant %q of %s", experiment, variant, method)
	return Job{}
}

func doneRun(t *testing.T, dir string, j Job) *Run {
	t.Helper()
	finish(t, dir, j)
	r, err := ReadRun(j.Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A variant's precision and hyperparameters are those of its run, and of no other.
func TestVariantsOfPrecision(t *testing.T) {
	plain := variantJob(t, "table3-cifar10-lenet", "kfac", "")
	low := variantJob(t, "table3-cifar10-lenet", "kfac", "bfloat16")
	damped := variantJob(t, "table3-damping", "kfac", "float16-damping-0.1")
	if plain.Config.Precision != "" || low.Config.Precision != "bfloat16" || damped.Config.Precision != "float16" {
		t.Errorf("precisions %q, %q, %q", plain.Config.Precision, low.Config.Precision, damped.Config.Precision)
	}
	for variant, stochastic := range map[string]bool{"bfloat16": false, "bfloat16-stochastic": true, "float16": false} {
		settings, err := precisionSettings(variantJob(t, "table3-cifar10-lenet", "sgdm", variant).Config)
		if err != nil || settings["stochastic"] != stochastic {
			t.Errorf("%s rounds weights at random: %v, error %v", variant, settings["stochastic"], err)
		}
	}
	if damped.Values["damping"] != 0.1 || plain.Values["damping"] == 0.1 || plain.Values["damping"] != low.Values["damping"] {
		t.Errorf("dampings %v, %v, %v", plain.Values["damping"], low.Values["damping"], damped.Values["damping"])
	}
	if table2 := imageJob(t, "table2-cifar10-lenet", "kfac"); table2.Values["lr"] != low.Values["lr"] || table2.Values["damping"] != low.Values["damping"] {
		t.Errorf("the settings in 16 bits are %v, those in float32 %v", low.Values, table2.Values)
	}
	unknown := low
	unknown.Config.Precision = "float8"
	if err := work(context.Background(), Order{Job: unknown, Path: unknown.Path(t.TempDir()), Jobs: 1}, func(int, float64) {}); err == nil {
		t.Error("float8 is accepted")
	}
}

// Every method runs in 16 bits: other numbers than in float32, of which the end is finite.
func TestRunsIn16Bits(t *testing.T) {
	dir := t.TempDir()
	for _, method := range []string{"sgdm", "kfac", "precond-plain"} {
		full := doneRun(t, dir, variantJob(t, "table3-cifar10-lenet", method, ""))
		if full.Header.Precision != nil || full.Done.SkippedSteps != 0 {
			t.Errorf("%s in float32: %v, %d steps skipped", method, full.Header.Precision, full.Done.SkippedSteps)
		}
		for _, format := range []string{"bfloat16", "float16"} {
			r := doneRun(t, dir, variantJob(t, "table3-cifar10-lenet", method, format))
			if r.Header.Precision["format"] != format {
				t.Errorf("%s: the header has %v", format, r.Header.Precision)
			}
			if loss := r.FinalLoss(); math.IsInf(loss, 0) || loss == full.FinalLoss() || math.IsNaN(r.FinalAccuracy()) {
				t.Errorf("%s in %s: loss %v, in float32 %v", method, format, loss, full.FinalLoss())
			}
		}
	}
}

// The counts of skipped steps survive an interruption, and so do all numbers.
func TestInterruptedRunIn16Bits(t *testing.T) {
	j := variantJob(t, "table3-cifar10-lenet", "sgdm", "float16")
	j.Values["lr"] = 1 // the loss rises until gradients overflow
	j.Config.Steps, j.Config.Evaluations = 6, 6
	dir, whole := t.TempDir(), t.TempDir()
	want := doneRun(t, whole, j)
	ctx, cancel := context.WithCancel(context.Background())
	err := work(ctx, Order{Job: j, Path: j.Path(dir), Jobs: 1}, func(step int, _ float64) {
		if step >= 3 {
			cancel()
		}
	})
	cancel()
	if err != context.Canceled {
		t.Fatal(err)
	}
	if err := work(context.Background(), Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: true}, func(int, float64) {}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRun(j.Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	if want.Done.SkippedSteps < 2 || want.Done.DivergedAt != nil {
		t.Errorf("%+v", want.Done)
	}
	if got.Done.SkippedSteps != want.Done.SkippedSteps || !sameJSON(t, losses(t, j.Path(dir)), losses(t, j.Path(whole))) {
		t.Errorf("%d steps skipped, without interruption %d", got.Done.SkippedSteps, want.Done.SkippedSteps)
	}
}
