package suite

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

func imageJob(t *testing.T, experiment, method string) Job {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	m, err := methods.Get(method)
	if err != nil {
		t.Fatal(err)
	}
	j, _, err := newJob(e, experiments.Smoke, m, experiments.DefaultVariant, 1)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A run with batch norm, augmentation and a schedule resumes bit for bit.
func TestInterruptedRunOnImagesGoesOn(t *testing.T) {
	for _, method := range []string{"sgdm", "precond-plain"} {
		j := imageJob(t, "table2-cifar10-resnet8", method)
		j.Config.Steps, j.Config.Evaluations = 6, 3
		dir, whole := t.TempDir(), t.TempDir()
		finish(t, whole, j)
		for _, stopAt := range []int{2, 4} {
			ctx, cancel := context.WithCancel(context.Background())
			err := work(ctx, Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: stopAt > 2}, func(step int, _ float64) {
				if step >= stopAt {
					cancel()
				}
			})
			cancel()
			if err != context.Canceled {
				t.Fatalf("%s stopped at %d: %v", method, stopAt, err)
			}
		}
		if err := work(context.Background(), Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: true}, func(int, float64) {}); err != nil {
			t.Fatal(err)
		}
		a, b := losses(t, j.Path(dir)), losses(t, j.Path(whole))
		if !sameJSON(t, a, b) {
			t.Errorf("%s: the resumed run differs", method)
		}
		if last := b[len(b)-1]; last.Step != 6 || last.Accuracy == nil || last.TestLoss == nil {
			t.Errorf("%s: the last evaluation is %+v", method, last)
		}
	}
}

// The rate follows the experiment's decay even for methods without a schedule.
func TestDecayOfAllMethods(t *testing.T) {
	j := imageJob(t, "table2-cifar10-lenet", "sgdm")
	j.Config.Steps, j.Config.Evaluations = 10, 10
	dir := t.TempDir()
	finish(t, dir, j)
	lr := j.Values["lr"]
	for _, e := range losses(t, j.Path(dir)) {
		want := lr
		for _, at := range []int{3, 6, 8} {
			if e.Step >= at {
				want *= 0.2
			}
		}
		// An evaluation has the rate of the step before it, or the initial rate.
		if e.Step > 0 && e.Step != 3 && e.Step != 6 && e.Step != 8 && math.Abs(float64(e.Rates[0])-want) > 1e-9 {
			t.Errorf("step %d: rate %v, want %v", e.Step, e.Rates, want)
		}
	}
}

// The winner of a search on images has the best validation accuracy. The values with
// the lowest training loss are stored beside it.
func TestTuneByAccuracy(t *testing.T) {
	dir, saved := t.TempDir(), t.TempDir()
	tune := func(ctx context.Context, args []string, out, err *strings.Builder) int {
		return TuneCommand(ctx, args, out, err)
	}
	args := []string{"table2-cifar10-lenet", "table2-cifar10-vgg16", "table4", "-scale", "smoke", "-optimizers", "adam", "-configs", "3", "-out", dir, "-save", saved}
	code, text := call(tune, args...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	for _, want := range []string{"validation accuracy", "vgg16: not at the scale smoke", "table4-cifar10-resnet8: tuned only if it is named"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	won, err := readWinners(saved, "table2-cifar10-lenet", "smoke")
	if err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "tune", "table2-cifar10-lenet", "smoke", "*.jsonl"))
	var accuracies, losses []float64
	for _, p := range paths {
		r, err := ReadRun(p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Config.Validation != 40 || r.Header.Rows != 360 {
			t.Errorf("a trial on %d images: %+v", r.Header.Rows, r.Header.Config)
		}
		accuracies, losses = append(accuracies, r.FinalAccuracy()), append(losses, r.FinalLoss())
	}
	w := won["adam"]
	if len(paths) != 3 || w.Accuracy != slices.Max(accuracies) || w.ByLoss == nil {
		t.Fatalf("winner %+v of %v, %v", w, accuracies, losses)
	}
	for i, p := range paths {
		r, err := ReadRun(p)
		if err != nil {
			t.Fatal(err)
		}
		if losses[i] == slices.Min(losses) && r.Header.Values["lr"] != w.ByLoss["lr"] {
			t.Errorf("the lowest loss has %v, not %v", r.Header.Values, w.ByLoss)
		}
	}
}

// Experiments that share runs train them once.
func TestSharedRuns(t *testing.T) {
	dir := t.TempDir()
	args := []string{"table4-cifar10-lenet", "fig5-accuracy", "-scale", "smoke", "-optimizers", "sgdm", "-seeds", "1", "-out", dir}
	code, text := call(runCall, args...)
	if code != 0 || !strings.Contains(text, "copied from table4-cifar10-lenet") {
		t.Fatalf("exit code %d: %s", code, text)
	}
	table, figure := imageJob(t, "table4-cifar10-lenet", "sgdm"), imageJob(t, "fig5-accuracy", "sgdm")
	if st, err := stateOf(dir, figure); err != nil || st != finished {
		t.Fatalf("state %v: %v", st, err)
	}
	if !sameJSON(t, losses(t, table.Path(dir)), losses(t, figure.Path(dir))) {
		t.Error("the shared run differs")
	}
	figure.Values = methods.Values{"lr": 0.5}
	if source, err := copyShared(dir, figure); err != nil || source != "" {
		t.Errorf("a run with other settings is shared with %q: %v", source, err)
	}
}

func TestShortMeasurements(t *testing.T) {
	e, err := experiments.Get("table2-cifar10-vgg16")
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]methods.Values{
		"kfac":          {"inverse_every": 5, "factor_every": 10},
		"precond-above": {"warm_up": 1, "k": 10},
	} {
		m, err := methods.Get(method)
		if err != nil {
			t.Fatal(err)
		}
		j, _, err := newJob(e, experiments.Small, m, experiments.DefaultVariant, 1)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range want {
			if j.Values[name] != v {
				t.Errorf("%s: %s is %v, want %v", method, name, j.Values[name], v)
			}
		}
		if method == "kfac" && j.RarePeriod != 100 {
			t.Errorf("kfac: usual period %d", j.RarePeriod)
		}
		whole, _, err := newJob(e, experiments.Paper, m, experiments.DefaultVariant, 1)
		if err != nil || whole.RarePeriod != 0 || whole.Values["inverse_every"] == 5 || whole.Values["warm_up"] == 1 {
			t.Errorf("%s at the paper's scale: %+v, %v", method, whole, err)
		}
	}
}

// A long run of the recommended form has fewer meta-steps than a short measurement.
func TestMetaStepsOfALongRun(t *testing.T) {
	times, learned := []float64{90, 3, 1, 3, 1, 1}, []bool{true, true, false, true, false, false}
	if got, ok := learningPerStep(times, learned, 250); !ok || math.Abs(got-1.5) > 1e-12 {
		t.Errorf("a quarter of meta-steps: %v, %v", got, ok)
	}
	for _, all := range [][]bool{make([]bool, 6), {true, true, true, true, true, true}} {
		if _, ok := learningPerStep(times, all, 250); ok {
			t.Error("one kind of steps cannot be weighed")
		}
	}
	e, err := experiments.Get("cost-mlp")
	if err != nil {
		t.Fatal(err)
	}
	m, err := methods.Get("precond")
	if err != nil {
		t.Fatal(err)
	}
	j, _, err := newJob(e, experiments.Small, m, experiments.DefaultVariant, 1)
	if err != nil {
		t.Fatal(err)
	}
	if j.MetaSteps < 200 || j.MetaSteps > 300 || j.Values["k"] != 3 || j.Values["frequent"] != 1 {
		t.Errorf("%d meta-steps in a long run, measured with %v", j.MetaSteps, j.Values)
	}
}

func TestPerStep(t *testing.T) {
	if got := perStep([]float64{9}, 0, 0); got != 0 {
		t.Errorf("one step: %v", got)
	}
	if got := perStep([]float64{9, 1, 2, 3}, 0, 0); got != 2 {
		t.Errorf("without rare work: %v", got)
	}
	// Work of 100 every 5 steps, usually every 100, and of 10 every 10 steps.
	times := []float64{50, 1, 1, 1, 1, 101, 1, 1, 1, 1, 111}
	if got, want := perStep(times, 5, 100), 1+100./100+10./10; math.Abs(got-want) > 1e-12 {
		t.Errorf("with rare work: %v, want %v", got, want)
	}
}
