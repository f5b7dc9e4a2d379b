package selftune

import (
	"context"
	"encoding/csv"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/report"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// TestMain lets the test binary act as the worker that the command starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == suite.WorkerCommand {
		ctx, stop := durable.UntilStopped(context.Background())
		code := suite.Worker(ctx, os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func run(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = Run(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"run", "-h"}, {"report", "-h"}} {
		code, stdout, stderr := run(t.Context(), args...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		word string
	}{
		{"", "run or report"},
		{"magic", "run or report"},
		{"run word", `"word"`},
		{"run -scale paper", "-scale"},
		{"run -scale huge", "-scale"},
		{"run -optimizers magic", "-optimizers"},
		{"run -tasks selftune-on-digits", "-tasks"},
		{"run -starts far", "-starts"},
		{"run -seeds -1", "-seeds"},
		{"run -configs -1", "-configs"},
		{"run -jobs 0", "-jobs"},
		{"run -out=", "-out"},
		{"run -out " + file, "-out"},
		{"run -limit 4", "-limit"},
		{"report -limit 1", "-limit"},
		{"report -limit NaN", "-limit"},
		{"report -report " + file, "-report"},
		{"report -redo", "-redo"},
	} {
		code, stdout, stderr := run(t.Context(), strings.Fields(c.args)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, c.word) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", c.args, code, stdout, stderr)
		}
	}
	if code, _, stderr := run(t.Context(), "report", "-out", filepath.Join(t.TempDir(), "nothing")); code != 1 || !strings.Contains(stderr, "no task") {
		t.Errorf("without results: exit code %d, stderr %q", code, stderr)
	}
}

// An interrupted run goes on, a finished one has nothing to do, and the report is made
// from what is stored.
func TestSmokeFromRunToReport(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-scale", "smoke", "-tasks", "selftune-illcond", "-optimizers", "nadamw-cosine,dog", "-configs", "1", "-out", dir}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, stderr := run(ended, append([]string{"run"}, args...)...); code != 130 || !strings.Contains(stderr, "interrupted") {
		t.Fatalf("interrupted: exit code %d, stderr %q", code, stderr)
	}
	for i := range 2 {
		code, stdout, stderr := run(t.Context(), append([]string{"run"}, args...)...)
		if code != 0 || i == 1 && stderr != "" {
			t.Fatalf("run %d: exit code %d, stdout %q, stderr %q", i+1, code, stdout, stderr)
		}
	}
	reportArgs := append([]string{"report"}, append(args[:6:6], "-out", dir)...)
	code, stdout, stderr := run(t.Context(), reportArgs...)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "By steps, on 1 tasks from 3 starts, 1 seed:") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report", "selftune.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"DoG, authors' defaults", "NAdamW, cosine, calibrated", "ill-conditioned", "profile-steps-authors.svg", "Calibrated on"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("%q is not in the report", word)
		}
	}
	checkFirstPage(t, dir, strings.Split(string(text), "\n\n")[1])
	checkPictures(t, filepath.Join(dir, "report"))
	checkAreas(t, filepath.Join(dir, "report", "areas.csv"))
	checkContinued(t, dir, checkStored(t, dir, args[:6:6]), args)
}

// checkFirstPage: the command report has the summary on its first page.
func checkFirstPage(t *testing.T, dir, summary string) {
	t.Helper()
	folder := t.TempDir()
	page := filepath.Join(folder, "RESULTS.md")
	kept := filepath.Join(folder, "results-pages", "fig1.md")
	if err := os.MkdirAll(filepath.Dir(kept), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, []byte("# fig1\n\n## fig1, small\n\nkept\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	code := report.Command(t.Context(), []string{"-o", page, "-selftune", filepath.Join(dir, "report", "selftune.md"), folder}, &out, &errs)
	text, err := os.ReadFile(page)
	if code != 0 || err != nil || !strings.Contains(string(text), strings.ReplaceAll(summary, "\n", " ")) {
		t.Errorf("report: exit code %d, %q, %v\n%s", code, errs.String(), err, text)
	}
}

// checkStored: the report of the runs that the command store keeps has the same times,
// areas and text. It returns their folder.
func checkStored(t *testing.T, dir string, args []string) (kept string) {
	t.Helper()
	kept = t.TempDir()
	var out, errs strings.Builder
	if code := suite.StoreCommand(t.Context(), []string{"-out", kept, dir}, &out, &errs); code != 0 {
		t.Fatalf("store: exit code %d, %s%s", code, out.String(), errs.String())
	}
	if code, _, stderr := run(t.Context(), append([]string{"report"}, append(args, "-out", kept)...)...); code != 0 {
		t.Fatalf("report of what is stored: exit code %d, %q", code, stderr)
	}
	for _, name := range []string{"times.csv", "areas.csv", "pairs.csv", "selftune.md"} {
		want, err := os.ReadFile(filepath.Join(dir, "report", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(kept, "report", name)); err != nil || string(got) != string(want) {
			t.Errorf("%s of what is stored differs: %v\n%s", name, err, got)
		}
	}
	return kept
}

// checkContinued: a second seed joins the folder of store with the configurations that the
// first has, without a search, also with a number of configurations that would find others.
// With -redo all is searched, and what is the same stays.
func checkContinued(t *testing.T, dir, kept string, args []string) {
	t.Helper()
	args = append(slices.Clone(args), "-out", kept, "-configs", "2", "-seeds", "2")
	first, err := suite.RunFiles(kept, "selftune-illcond", experiments.Smoke)
	if err != nil || len(first) != 9 { // the reference, 3 starts of NAdamW and 1 of DoG in 2 configurations
		t.Fatalf("%d stored runs: %v", len(first), err)
	}
	code, stdout, stderr := run(t.Context(), append([]string{"run"}, args...)...)
	if code != 0 || !strings.Contains(stdout, "of 0 methods on 4 tuning tasks; 2 methods have") || strings.Contains(stderr, "trial") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	all, err := suite.RunFiles(kept, "selftune-illcond", experiments.Smoke)
	if err != nil || len(all) != 18 {
		t.Errorf("%d runs after the second seed: %v", len(all), err)
	}
	for _, path := range first {
		a, errA := suite.ReadRun(path)
		b, errB := suite.ReadRun(strings.Replace(path, "seed1.json", "seed2.jsonl", 1))
		if errA != nil || errB != nil || !maps.Equal(a.Header.Values, b.Header.Values) {
			t.Errorf("%s: the second seed has other values (%v, %v)", path, errA, errB)
		}
	}
	code, stdout, _ = run(t.Context(), append([]string{"run", "-redo"}, args...)...)
	if code != 0 || !strings.Contains(stdout, "of 2 methods on 4 tuning tasks; 0 methods have") {
		t.Errorf("-redo: exit code %d, stdout %q", code, stdout)
	}
}

// Stored runs whose values differ decide no configuration.
func TestKeptValuesDiffer(t *testing.T) {
	o := optionsOf(t, runName, "-out", t.TempDir(), "-optimizers", "dog")
	c := o.competitors[0]
	tasks := []experiments.SelfTuningTask{taskNamed(t, "selftune-illcond"), taskNamed(t, "selftune-mlp")}
	trials, err := o.allTrials(tuningTasks(), c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.defaults()
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := o.keptCalibration(c, trials); err != nil || kept != nil {
		t.Errorf("an empty folder has %v, %v", kept, err)
	}
	for i, task := range tasks {
		j, err := o.job(task, c, maps.Clone(v))
		if err != nil {
			t.Fatal(err)
		}
		j.Variant, j.Seed = calibrated, 2
		j.Values["reps_rel"] = float64(i)
		store(t, o.dir, j, false, 10, 1)
		switch kept, err := o.keptCalibration(c, trials); {
		case i == 0 && (err != nil || !maps.Equal(kept, j.Values)):
			t.Errorf("one run: %v, %v", kept, err)
		case i == 1 && (err == nil || !strings.Contains(err.Error(), "reps_rel") || !strings.Contains(err.Error(), "-redo")):
			t.Errorf("two values: %v, %v", kept, err)
		}
	}
	store(t, o.dir, trials[len(trials)-1], false, 10, 1) // the search had begun: it goes on
	if kept, err := o.keptCalibration(c, trials); err != nil || kept != nil {
		t.Errorf("with a trial: %v, %v", kept, err)
	}
}

// checkPictures looks for the profile as SVG and as a PNG that is not blank.
func checkPictures(t *testing.T, dir string) {
	t.Helper()
	svg, err := os.ReadFile(filepath.Join(dir, "profile-steps-authors.svg"))
	if err != nil || !strings.Contains(string(svg), "<path") {
		t.Errorf("profile-steps-authors.svg: %v", err)
	}
	f, err := os.Open(filepath.Join(dir, "profile-seconds-calibrated.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	colors := make(map[color.Color]bool)
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			colors[picture.At(x, y)] = true
		}
	}
	if len(colors) < 3 {
		t.Errorf("the picture has %d colours", len(colors))
	}
}

// checkAreas looks for an area from 0 to 1 of each of four entries by both clocks.
func checkAreas(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 1+2*4 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		if area, err := strconv.ParseFloat(row[3], 64); err != nil || area < 0 || area > 1 {
			t.Errorf("%q: %v", row, err)
		}
	}
}
