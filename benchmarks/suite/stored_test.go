package suite

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// longRunOf is a finished run with an evaluation at each of 200 epochs of 10 steps, the
// best accuracy after the 77th.
func longRunOf(method string, seed uint64) *Run {
	c := experiments.Config{Steps: 2000, Batch: 10, Evaluations: 200, Dtype: "float32"}
	r := &Run{Done: &Done{Done: true, Steps: 2000, Seconds: 123.456789012, SecondsPerStep: 0.0617}}
	r.Header = Header{Label: "Adam", Source: "default", Settings: []byte(`{"lr":0.1}`), Commit: "abc", BLAS: "none", Jobs: 1, Rows: 100, PerEpoch: 10}
	r.Header.Job = Job{Experiment: "fig3-parkinsons", Scale: experiments.Small, Method: method, Seed: seed, Values: methods.Values{"lr": 0.1}, Config: c}
	for i := range 201 {
		x := float64(i)
		e := Evaluation{Step: 10 * i, Epoch: x, Seconds: x * 0.617283945, TrainLoss: Number(math.Exp(-x / 30)), Rates: []Number{Number(1 / (x + 3))}}
		e.Accuracy = ref(0.9 - math.Abs(x-77)/1000)
		if i > 0 {
			e.BatchLoss = ref(1 / (x + 7))
		}
		r.Evaluations = append(r.Evaluations, e)
	}
	r.Evaluations[40].TrainLoss = Number(math.NaN())
	return r
}

func TestCondensed(t *testing.T) {
	r := longRunOf("adam", 1)
	c := r.Condensed()
	if n := len(c.Evaluations); n < 40 || n > 63 {
		t.Errorf("%d evaluations of %d are kept", n, len(r.Evaluations))
	}
	at := func(step int) bool {
		return slices.ContainsFunc(c.Evaluations, func(e Evaluation) bool { return e.Step == step })
	}
	for _, step := range []int{0, 770, 1000, 2000} {
		if !at(step) {
			t.Errorf("step %d, one of first, best, half and last, is not kept", step)
		}
	}
	if got, want := c.FinalLoss(), r.FinalLoss(); got != want {
		t.Errorf("the final loss was %v and is %v", want, got)
	}
	for _, e := range c.Evaluations {
		was := r.Evaluations[e.Step/10]
		if math.Abs(float64(e.TrainLoss/was.TrainLoss)-1) > 5e-6 || math.Abs(float64(*e.Accuracy / *was.Accuracy)-1) > 5e-6 {
			t.Errorf("step %d: %v, was %v", e.Step, e.TrainLoss, was.TrainLoss)
		}
	}
	if !sameJSON(t, c.Condensed(), c) {
		t.Error("a condensed run does not condense to itself")
	}
	// A run that diverged keeps the steps that others keep, and its last one.
	r.Evaluations = r.Evaluations[:100]
	for _, e := range r.Condensed().Evaluations {
		if e.Step != 990 && !at(e.Step) {
			t.Errorf("step %d is kept of a shorter run alone", e.Step)
		}
	}
}

func TestStoredRunsHaveTheSameBytesAndComeBack(t *testing.T) {
	r := longRunOf("adam", 1)
	r.Environment = &Environment{CPU: "cpu", Cores: 2, Commit: "abc", BLAS: "none", Date: "2026-01-01T00:00:00Z"}
	text, err := r.stored()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "adam-seed1.json")
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	back, err := ReadRun(path)
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, back, r.Condensed()) {
		t.Errorf("it comes back as another run:\n%s", text)
	}
	again, err := back.stored()
	if err != nil || string(again) != string(text) {
		t.Errorf("stored again it has other bytes (%v)", err)
	}
	if len(text) > 8000 {
		t.Errorf("it has %d bytes", len(text))
	}
	for damage, want := range map[[2]string]string{
		{`"version": 1`, `"version": 9`}:                 "version 9",
		{`"done": {`, `"undone": {`}:                     "done",
		{`"step": [0,`, `"step": [`}:                     "curve",
		{`"step": [0,40,`, `"step": [40,40,`}:            "step 40 after step 40",
		{`"batch_loss": [null,`, `"batch_loss": [`}:      "batch_loss",
		{`"experiment":"fig3-parkinsons"`, `"x":"fig3"`}: "names no experiment",
		{`"rates": [`, `"rates": [[1],`}:                 "rates",
		{`"curve": {`, `"curve": `}:                      path,
	} {
		bad := strings.Replace(string(text), damage[0], damage[1], 1)
		if bad == string(text) {
			t.Fatalf("%q is not there:\n%s", damage[0], text)
		}
		if err := os.WriteFile(path, []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRun(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v does not say %q", damage[1], err, want)
		}
	}
}

// storeCall runs the command "store".
func storeCall(out string, args ...string) (int, string) {
	return call(func(ctx context.Context, args []string, out, err *strings.Builder) int {
		return StoreCommand(ctx, args, out, err)
	}, append([]string{"-out", out}, args...)...)
}

// write writes runs as lines.
func write(t *testing.T, dir string, runs ...*Run) {
	t.Helper()
	for _, r := range runs {
		if err := storeRun(r.Header.Path(dir), r); err != nil {
			t.Fatal(err)
		}
	}
}

func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	paths, err := RunFiles(dir, "fig3-parkinsons", experiments.Small)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(text)
	}
	return all
}

// Seeds of two days join, what is there stays, and other settings are refused.
func TestStoreCommand(t *testing.T) {
	first, second, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "stored")
	unfinished := longRunOf("kfac", 1)
	write(t, first, longRunOf("adam", 1), longRunOf("sgdm", 1), unfinished)
	env := Environment{CPU: "cpu", Commit: "abc", BLAS: "none"}
	if err := env.store(first); err != nil {
		t.Fatal(err)
	}
	write(t, second, longRunOf("adam", 2))
	other := longRunOf("sgdm", 2)
	other.Header.Values = methods.Values{"lr": 0.2}
	write(t, second, other)
	path := unfinished.Header.Path(first)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o666); err != nil {
		t.Fatal(err)
	}

	if code, text := storeCall(out, first); code != 0 || !strings.Contains(text, "2 results stored, 0 there already, 1 unfinished, 0 refused") {
		t.Fatalf("exit code %d: %s", code, text)
	}
	was := filesOf(t, out)
	if r, err := ReadRun(filepath.Join(out, "fig3-parkinsons", "small", "adam-seed1.json")); err != nil || r.Environment == nil || *r.Environment != env {
		t.Errorf("%v: it does not say where it was made", err)
	}
	code, said := storeCall(out, second, first, out)
	if code != 1 || !strings.Contains(said, "1 results stored, 5 there already, 1 unfinished, 1 refused") || !strings.Contains(said, "sgdm-seed1.json") {
		t.Errorf("exit code %d: %s", code, said)
	}
	now := filesOf(t, out)
	if len(now) != 3 || now["adam-seed1.json"] != was["adam-seed1.json"] || now["sgdm-seed1.json"] != was["sgdm-seed1.json"] || now["adam-seed2.json"] == "" {
		t.Errorf("%d files", len(now))
	}
	if code, said := storeCall(out, "-redo", second); code != 0 || !strings.Contains(said, "removed") {
		t.Errorf("exit code %d: %s", code, said)
	}
	now = filesOf(t, out)
	if _, ok := now["sgdm-seed1.json"]; ok || len(now) != 3 || now["sgdm-seed2.json"] == "" {
		t.Errorf("-redo left %d files", len(now))
	}
}

// A folder of store is continued: what is there is not run again, other settings are kept
// until -redo removes them, and a copy of a shared run says where that was made.
func TestRunContinuesStoredRuns(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	args := []string{"fig4-illcond-6", "-scale", "smoke", "-optimizers", "adam", "-out"}
	if code, text := call(runCall, append(args, dir, "-seeds", "1")...); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	if code, text := storeCall(kept, dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	j := testJob(t, "adam")
	if r, err := Stored(kept, j); err != nil || r == nil || r.Environment == nil {
		t.Fatalf("Stored: %v, %v", r, err)
	}
	if code, text := call(runCall, append(args, kept, "-seeds", "2")...); code != 0 || !strings.Contains(text, "2 runs, 1 of them stored already") {
		t.Errorf("exit code %d: %s", code, text)
	}
	if _, err := os.Stat(j.Path(kept)); err == nil {
		t.Error("a condensed run was repeated")
	}
	path := j.storedPath(kept)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(text), `"lr":`, `"lr":1`, 1)
	if err := os.WriteFile(path, []byte(other), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := call(runCall, append(args, kept, "-seeds", "1")...); code != exitFailed || !strings.Contains(text, "other settings") {
		t.Errorf("exit code %d: %s", code, text)
	}
	if code, text := call(runCall, append(args, kept, "-seeds", "1", "-redo")...); code != 0 {
		t.Errorf("exit code %d: %s", code, text)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("-redo leaves the condensed run")
	}
}

// A condensed run is shared as it is.
func TestSharedStoredRun(t *testing.T) {
	dir := t.TempDir()
	table, figure := imageJob(t, "table4-cifar10-lenet", "sgdm"), imageJob(t, "fig5-accuracy", "sgdm")
	r := &Run{Header: Header{Job: table}, Environment: &Environment{CPU: "cpu"}, Done: &Done{Done: true}}
	r.Evaluations = []Evaluation{{Step: 0, TrainLoss: 2}, {Step: 3, TrainLoss: 1}}
	text, err := r.stored()
	if err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(table.storedPath(dir), text); err != nil {
		t.Fatal(err)
	}
	if source, err := copyShared(dir, figure); err != nil || source != table.Experiment {
		t.Fatalf("%q, %v", source, err)
	}
	got, err := Stored(dir, figure)
	if err != nil || got == nil || got.Environment == nil || *got.Environment != *r.Environment || len(got.Evaluations) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStoreCommandRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"x"}, exitFailed, "x"}, {nil, exitUsage, "a folder of results is needed"}, {[]string{"-out", "", dir}, exitUsage, "-out"},
	} {
		if code, text := storeCall(filepath.Join(dir, "out"), c.args...); code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%q: exit code %d: %s", c.args, code, text)
		}
	}
	damaged := longRunOf("adam", 1)
	write(t, dir, damaged)
	if err := os.WriteFile(damaged.Header.Path(dir), []byte("null\nnull\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := storeCall(filepath.Join(dir, "out"), dir); code != exitFailed || !strings.Contains(text, "adam-seed1.jsonl: line 1") {
		t.Errorf("exit code %d: %s", code, text)
	}
}

func TestCompactComputed(t *testing.T) {
	got, err := compactComputed([]byte(`{"b": [1.234567891234,
		"NaN", null], "a": {"x": 0.30000000000000004}}`))
	if want := "{\n  \"a\": {\"x\":0.30000000000000004},\n  \"b\": [1.234567891234,\"NaN\",null]\n}\n"; err != nil || string(got) != want {
		t.Errorf("%v: %s, want %s", err, got, want)
	}
	again, err := compactComputed(got)
	if err != nil || string(again) != string(got) {
		t.Errorf("%v: it changes again: %s", err, again)
	}
	if _, err := compactComputed([]byte("[1]")); err == nil {
		t.Error("no error for a list")
	}
}
