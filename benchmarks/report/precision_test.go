package report

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// low is a run's end in some precision.
type low struct {
	accuracy           float64
	skipped, fallbacks int
	diverged           bool
}

// fabricatePrecision writes a run of a variant at the smoke scale.
func fabricatePrecision(t *testing.T, dir, experiment, method, variant string, seed uint64, end low) {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	h := suite.Header{Label: method, Source: "tuned", Jobs: 1, Rows: 400, PerEpoch: 12}
	for _, v := range e.VariantsOf(method, experiments.Small) {
		if v.Name == variant {
			h.Job = suite.Job{Experiment: experiment, Scale: experiments.Smoke, Method: method, Variant: variant, Seed: seed,
				Values: v.Values, Config: e.Config(experiments.Smoke, v)}
		}
	}
	if h.Method == "" {
		t.Fatalf("%s has no variant %q of %s", experiment, variant, method)
	}
	lines := []any{h}
	for step := range 4 {
		a, loss := suite.Number(end.accuracy), suite.Number(2)
		lines = append(lines, suite.Evaluation{Step: step, Seconds: float64(step), TrainLoss: loss, TestLoss: &loss, Accuracy: &a})
	}
	d := suite.Done{Done: true, Steps: 24, Seconds: 1, SecondsPerStep: 0.02, PeakBytes: 1e8, SkippedSteps: end.skipped, Fallbacks: end.fallbacks}
	if end.diverged {
		at := 3
		d.DivergedAt, d.Message = &at, "the loss is NaN"
	}
	writeRun(t, filepath.Join(dir, experiment, "smoke", method+"-"+variant+"-seed"+string(rune('0'+seed))+".jsonl"), append(lines, d))
}

func TestReportOfPrecisions(t *testing.T) {
	dir := t.TempDir()
	write := func(method, variant string, ends ...low) {
		for i, end := range ends {
			fabricatePrecision(t, dir, "table3-cifar10-lenet", method, variant, uint64(i+1), end)
		}
	}
	write("sgdm", "", low{accuracy: 0.60}, low{accuracy: 0.62})
	write("sgdm", "bfloat16", low{accuracy: 0.59}, low{accuracy: 0.61}) // just 1 point
	write("sgdm", "float16", low{accuracy: 0.61, skipped: 3}, low{accuracy: 0.58, skipped: 2})
	write("kfac", "", low{accuracy: 0.7})
	write("kfac", "bfloat16", low{accuracy: 0.7, fallbacks: 4, diverged: true})
	write("precond", "", low{accuracy: 0.7})
	write("precond", "bfloat16", low{accuracy: 0.695})
	write("precond", "float16", low{accuracy: 0.7, skipped: 1, diverged: true})
	write("precond-plain", "bfloat16", low{accuracy: 0.7})
	damping := func(variant string, end low) { fabricatePrecision(t, dir, "table3-damping", "kfac", variant, 1, end) }
	for _, d := range []string{"0.00001", "0.0001", "0.001", "0.01"} {
		damping("damping-"+d, low{accuracy: 0.6})
		damping("bfloat16-damping-"+d, low{accuracy: 0.595})
	}
	damping("float16-damping-0.00001", low{accuracy: 0.6}) // by chance
	damping("float16-damping-0.0001", low{accuracy: 0.6, fallbacks: 2})
	damping("float16-damping-0.001", low{accuracy: 0.605})
	damping("float16-damping-0.01", low{accuracy: 0.6})
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	md := written(t, path)
	const lenet, sweep = "| [table3-cifar10-lenet, smoke]", "| [table3-damping, smoke]"
	for _, c := range []struct {
		what, line string
		want       []string
	}{
		{"float32", line(md, "| SGDm | float32 | 2 |"), []string{"| 61.00% ± 1.41 | - | 0 | 0 | 0 |"}},
		{"float16", line(md, "| SGDm | float16 | 2 |"), []string{"| 59.50% ± 2.12 | -1.50 | 2.5 | 0 | 0 |"}},
		{"failures", line(md, "| KFAC | bfloat16 | 1 |"), []string{"| 0.00% | -70.00 | 0 | 4 | 1 |"}},
		{"damping", line(md, "| KFAC | float16, 0.0001 | 1 |"), []string{"| 60.00% | +0.00 | 0 | 2 | 0 |"}},
		{"loses a point", line(md, lenet, "at most 1 point", "[SGDm, bfloat16]"), []string{"**holds**", "60.00% ± 1.41", "61.00% ± 1.41"}},
		{"loses more", line(md, lenet, "at most 1 point", "[SGDm, float16]"), []string{"**does not hold**"}},
		{"no float32", line(md, lenet, "at most 1 point", "[APO-Precond (plain), bfloat16]"), []string{"**not run**"}},
		{"stable", line(md, lenet, "is stable", "[APO-Precond, bfloat16]"), []string{"**holds**", "0 of 1 runs diverged"}},
		{"not stable", line(md, lenet, "is stable", "[APO-Precond, float16]"), []string{"**does not hold**", "1 steps skipped"}},
		{"larger", line(md, sweep, "larger damping in float16"), []string{"**holds**", "from 0.001 on; float32: a damping from 1e-05 on", "60.50% at 0.001"}},
		{"not larger", line(md, sweep, "larger damping in bfloat16"), []string{"**does not hold**"}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.line, w) {
				t.Errorf("%s: %q lacks %q", c.what, c.line, w)
			}
		}
	}
	if l := line(md, sweep, "APO-Precond"); l != "" {
		t.Errorf("the sweep decides about other methods: %q", l)
	}
	if l := line(md, lenet, "at most 1 point", "KFAC"); l != "" {
		t.Errorf("a goal about KFAC: %q", l)
	}
	for _, name := range []string{"table3-damping-smoke-accuracy", "table3-damping-smoke-failures", "table3-cifar10-lenet-smoke-sgdm-accuracy-steps"} {
		if _, err := os.Stat(filepath.Join(dir, "results-figures", name+".png")); err != nil || !strings.Contains(md, name+".png") {
			t.Errorf("%s is not drawn: %v", name, err)
		}
	}
	if strings.Contains(md, "table3-damping-smoke-loss") {
		t.Error("curves of a sweep are drawn")
	}
}

func TestMeanAndDeviation(t *testing.T) {
	x := []float64{1, 2, 3, 6}
	if m, d := mean(x), deviation(x); m != 3 || math.Abs(d-math.Sqrt(14./3)) > 1e-12 {
		t.Errorf("%v, %v", m, d)
	}
	if got := meanText([]float64{math.NaN(), 1}); got != "-" {
		t.Errorf("without an accuracy: %q", got)
	}
}
