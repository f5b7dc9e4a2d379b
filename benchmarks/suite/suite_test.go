package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// The test program also serves as the worker that the commands start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		ctx, stop := durable.UntilStopped(context.Background())
		code := Worker(ctx, os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func call(f func(context.Context, []string, *strings.Builder, *strings.Builder) int, args ...string) (int, string) {
	var out, err strings.Builder
	code := f(context.Background(), args, &out, &err)
	return code, out.String() + err.String()
}

func runCall(ctx context.Context, args []string, out, err *strings.Builder) int {
	return RunCommand(ctx, args, out, err)
}

// losses are the evaluations of a run without their times.
func losses(t *testing.T, path string) []Evaluation {
	t.Helper()
	r, err := ReadRun(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Done == nil {
		t.Fatalf("%s is not finished", path)
	}
	for i := range r.Evaluations {
		r.Evaluations[i].Seconds = 0
	}
	return r.Evaluations
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func TestRunsAreRepeatableAndSkippedWhenStored(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	args := []string{"fig4-illcond-6", "-scale", "smoke", "-optimizers", "adam,precond-plain", "-seeds", "1", "-out"}
	for _, dir := range dirs {
		if code, text := call(runCall, append(args, dir)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, text)
		}
	}
	for _, method := range []string{"adam", "precond-plain"} {
		name := filepath.Join("fig4-illcond-6", "smoke", method+"-seed1.jsonl")
		a, b := losses(t, filepath.Join(dirs[0], name)), losses(t, filepath.Join(dirs[1], name))
		if !sameJSON(t, a, b) {
			t.Errorf("%s: two runs differ", method)
		}
		if len(a) != 41 || a[40].Step != 200 {
			t.Errorf("%s: %d evaluations", method, len(a))
		}
	}
	before, err := os.Stat(filepath.Join(dirs[0], "fig4-illcond-6", "smoke", "adam-seed1.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if code, text := call(runCall, append(args, dirs[0])...); code != 0 || !strings.Contains(text, "2 runs, 2 of them stored already") {
		t.Errorf("exit code %d: %s", code, text)
	}
	after, err := os.Stat(filepath.Join(dirs[0], "fig4-illcond-6", "smoke", "adam-seed1.jsonl"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("a finished run was repeated (%v)", err)
	}
	envs, err := ReadEnvironments(dirs[0])
	if err != nil || len(envs) != 1 || envs[0].Cores < 1 || envs[0].BLAS == "" {
		t.Errorf("environments %+v: %v", envs, err)
	}
}

// A result with other settings is kept and reported; -redo replaces it.
func TestOtherSettings(t *testing.T) {
	dir := t.TempDir()
	args := []string{"fig4-illcond-6", "-scale", "smoke", "-optimizers", "adam", "-seeds", "1", "-out", dir}
	j := testJob(t, "adam")
	j.Values = methods.Values{"lr": 0.5}
	finish(t, dir, j)
	code, text := call(runCall, args...)
	if code != exitFailed || !strings.Contains(text, "other settings") {
		t.Errorf("exit code %d: %s", code, text)
	}
	if code, text = call(runCall, append(args, "-redo")...); code != 0 {
		t.Errorf("exit code %d: %s", code, text)
	}
	if st, err := stateOf(dir, testJob(t, "adam")); err != nil || st != finished {
		t.Errorf("state %v: %v", st, err)
	}
}

func testJob(t *testing.T, method string) Job {
	t.Helper()
	e, err := experiments.Get("fig4-illcond-6")
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

// finish runs a job in this process.
func finish(t *testing.T, dir string, j Job) {
	t.Helper()
	if err := work(context.Background(), Order{Job: j, Path: j.Path(dir), Jobs: 1}, func(int, float64) {}); err != nil {
		t.Fatal(err)
	}
}

// An interrupted run resumes bit for bit, wherever it stopped.
func TestInterruptedRunGoesOn(t *testing.T) {
	for _, method := range []string{"adam", "precond-plain"} {
		dir, whole := t.TempDir(), t.TempDir()
		j := testJob(t, method)
		finish(t, whole, j)
		for _, stopAt := range []int{0, 5, 50, 195} {
			ctx, cancel := context.WithCancel(context.Background())
			o := Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: stopAt > 0}
			err := work(ctx, o, func(step int, _ float64) {
				if step >= stopAt {
					cancel()
				}
			})
			cancel()
			if err != context.Canceled {
				t.Fatalf("%s stopped at %d: %v", method, stopAt, err)
			}
			if st, err := stateOf(dir, j); err != nil || st != partial {
				t.Fatalf("%s stopped at %d: state %v, %v", method, stopAt, st, err)
			}
		}
		// A killed process leaves an incomplete line, which is removed.
		f, err := os.OpenFile(j.Path(dir), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"step":190,"train_lo`); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := work(context.Background(), Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: true}, func(int, float64) {}); err != nil {
			t.Fatal(err)
		}
		if !sameJSON(t, losses(t, j.Path(dir)), losses(t, j.Path(whole))) {
			t.Errorf("%s: the resumed run differs", method)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(j.Path(dir)), "*.ckpt")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// A worker process that is interrupted saves its state, also where SIGINT is ignored, as in
// the background of a shell.
func TestInterruptedWorkerProcess(t *testing.T) {
	t.Run("signals as they come", testInterruptedWorkerProcess)
	if !signal.Ignored(os.Interrupt) {
		signal.Ignore(os.Interrupt)
		defer signal.Reset(os.Interrupt)
	}
	t.Run("SIGINT ignored", testInterruptedWorkerProcess)
}

func testInterruptedWorkerProcess(t *testing.T) {
	j := testJob(t, "adam")
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	evaluations := 0
	j.Config.Steps = 40 * 2000 // an evaluation each 2000 steps
	err := runProcess(ctx, Order{Job: j, Path: j.Path(dir), Jobs: 1}, func(Progress) {
		if evaluations++; evaluations == 2 {
			cancel()
		}
	})
	if err != context.Canceled {
		t.Fatal(err)
	}
	r, err := ReadRun(j.Path(dir))
	if err != nil || r.Pause == nil || r.Pause.Step < 2000 {
		t.Errorf("%+v: %v", r, err)
	}
}

func TestDivergedRunIsAResult(t *testing.T) {
	j := testJob(t, "sgdm")
	j.Values = methods.Values{"lr": 1e6}
	dir := t.TempDir()
	finish(t, dir, j)
	r, err := ReadRun(j.Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	if r.Done == nil || r.Done.DivergedAt == nil || r.Done.Message == "" || !(r.FinalLoss() > maxLoss) {
		t.Errorf("%+v, final loss %v", r.Done, r.FinalLoss())
	}
}

func TestTuneFindsTheBestTrial(t *testing.T) {
	dir, saved := t.TempDir(), t.TempDir()
	args := []string{"fig4-illcond-6", "-scale", "smoke", "-optimizers", "sgdm", "-configs", "3", "-out", dir, "-save", saved}
	tune := func(ctx context.Context, args []string, out, err *strings.Builder) int {
		return TuneCommand(ctx, args, out, err)
	}
	if code, text := call(tune, args...); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	won, err := readWinners(saved, "fig4-illcond-6", "smoke")
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	paths, _ := filepath.Glob(filepath.Join(dir, "tune", "*", "*", "*.jsonl"))
	for _, p := range paths {
		r, err := ReadRun(p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Seed < FirstTuningSeed {
			t.Errorf("%s: seed %d", p, r.Header.Seed)
		}
		all = append(all, r.FinalLoss())
	}
	if w := won["sgdm"]; len(all) != 3 || w.Loss != slices.Min(all) || w.Configs != 3 || strings.Contains(w.Command, dir) {
		t.Errorf("winner %+v of %v", w, all)
	}
}

// Every method takes steps on every experiment at the smoke scale.
func TestEveryMethodStepsOnEveryExperiment(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, e := range experiments.All() {
		c, ok := e.Scales[experiments.Smoke]
		if !ok {
			continue
		}
		// Experiments with the same model and data are tested once.
		what := e.Task.Describe(c) + e.Task.Loss().Name
		if seen[what] {
			continue
		}
		seen[what] = true
		c.Batch = min(c.Batch, 20)
		batch := e.Task.RandomBatch(c)
		for _, m := range methods.All() {
			if !m.Available() {
				continue
			}
			v, _, err := m.Settings(e.Search(experiments.Smoke))
			if err != nil {
				t.Fatal(err)
			}
			o, opts, err := m.Build(v, methods.Run{Steps: 2, L2: c.L2, Rate: 1e-3})
			if err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			model, err := e.Task.Model(c)
			if err != nil {
				t.Fatalf("%s: %v", e.Name, err)
			}
			tr, err := trainers.New(model, e.Task.Loss(), o, append(opts, trainers.Dtype(c.Type()))...)
			if err != nil {
				t.Fatalf("%s, %s: %v", e.Name, m.Name, err)
			}
			for range 2 {
				if _, err := tr.Step(batch); err != nil {
					t.Errorf("%s, %s: %v", e.Name, m.Name, err)
				}
			}
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"-scale", "huge"}, {"-optimizers", "magic"}, {"-jobs", "0"}, {"-seeds", "0"}, {"-x"}} {
		if code, text := call(runCall, args...); code != exitUsage || text == "" {
			t.Errorf("%q: exit code %d: %s", args, code, text)
		}
	}
	if code, text := call(runCall, "-h"); code != 0 || !strings.Contains(text, "Exit codes") || !strings.Contains(text, "-seeds") {
		t.Errorf("-h: exit code %d: %s", code, text)
	}
}

// The library has all methods that experiments list.
func TestListedMethodsAreAvailable(t *testing.T) {
	for _, e := range experiments.All() {
		for _, scale := range experiments.Scales {
			var said strings.Builder
			ms, err := selection{scale: scale}.methods(e, &said)
			if err != nil || said.Len() > 0 || len(ms) != len(e.MethodsAt(scale)) {
				t.Errorf("%s %s: %d of %d methods, %v: %s", e.Name, scale, len(ms), len(e.MethodsAt(scale)), err, said.String())
			}
		}
	}
}

// A form of APO-Precond that no experiment lists any more still runs where it is asked for.
func TestFormerForm(t *testing.T) {
	dir := t.TempDir()
	if code, text := call(runCall, "fig4-illcond-6", "-scale", "smoke", "-optimizers", "precond-above", "-seeds", "1", "-out", dir); code != exitOK {
		t.Fatalf("exit code %d: %s", code, text)
	}
	if st, err := stateOf(dir, testJob(t, "precond-above")); err != nil || st != finished {
		t.Errorf("state %v: %v", st, err)
	}
}

// A variant at another rate has the method's settings with that rate, and says so.
func TestOtherRates(t *testing.T) {
	e, err := experiments.Get("fig4-mnist-lr")
	if err != nil {
		t.Fatal(err)
	}
	m, err := methods.Get("sgdm")
	if err != nil {
		t.Fatal(err)
	}
	variants := e.VariantsOf("sgdm", experiments.Paper)
	usual, source, err := newJob(e, experiments.Paper, m, variants[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variants[1:] {
		j, from, err := newJob(e, experiments.Paper, m, v, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := j.Values["lr"], v.Times*usual.Values["lr"]; got != want || j.name() == usual.name() {
			t.Errorf("%s has the rate %v, want %v", j, got, want)
		}
		if want := fmt.Sprintf("%s, the rate times %.3g", source, v.Times); from != want {
			t.Errorf("%s: settings %q, want %q", j, from, want)
		}
	}
}
