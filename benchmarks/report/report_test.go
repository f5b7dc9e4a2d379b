package report

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// fabricate writes a run whose loss falls from 1 to final over 100 steps of a
// second each.
func fabricate(t *testing.T, dir, experiment, method, variant string, seed uint64, final float64, diverged bool) {
	t.Helper()
	fabricateAt(t, dir, experiment, experiments.Small, method, variant, seed, final, diverged)
}

func fabricateAt(t *testing.T, dir, experiment string, scale experiments.Scale, method, variant string, seed uint64, final float64, diverged bool) {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	c := e.Scales[scale]
	c.Steps = 100
	h := suite.Header{Label: "label of " + method, Source: "default", Commit: "abc", Jobs: 1, Rows: 1000, PerEpoch: 10}
	h.Job = suite.Job{Experiment: experiment, Scale: scale, Method: method, Variant: variant, Seed: seed, Config: c}
	lines := []any{h}
	for step := 0; step <= 100; step += 25 {
		lines = append(lines, suite.Evaluation{Step: step, Seconds: float64(step), TrainLoss: suite.Number(math.Pow(final, float64(step)/100)),
			Rates: []suite.Number{0.1}})
	}
	d := suite.Done{Done: true, Steps: 100, Seconds: 100, SecondsPerStep: 1, PeakBytes: 5e7}
	if diverged {
		at := 100
		d.DivergedAt, d.Message = &at, "the loss is NaN"
	}
	name := method
	if variant != "" {
		name += "-" + variant
	}
	writeRun(t, filepath.Join(dir, experiment, string(scale), name+"-seed"+string(rune('0'+seed))+".jsonl"), append(lines, d))
}

// writeRun writes the file of a run, a line of JSON for each value.
func writeRun(t *testing.T, path string, lines []any) {
	t.Helper()
	var text strings.Builder
	enc := json.NewEncoder(&text)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

func report(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := Command(context.Background(), args, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	return out.String()
}

// written is the text of a report's pages but the first, in the order of their names.
func written(t *testing.T, path string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(pathsOf(path, nil).pages, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// line is the first line of text that has all the words.
func line(text string, words ...string) string {
	for l := range strings.Lines(text) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(l, w)
		}
		if all {
			return l
		}
	}
	return ""
}

// refused runs the command, which must fail with all the words in its message.
func refused(t *testing.T, dir string, words ...string) {
	t.Helper()
	var out, errs strings.Builder
	if code := Command(context.Background(), []string{"-o", filepath.Join(t.TempDir(), "r.md"), dir}, &out, &errs); code != 1 {
		t.Errorf("exit code %d, want 1: %s", code, errs.String())
	}
	for _, w := range words {
		if !strings.Contains(errs.String(), w) {
			t.Errorf("%q does not say %q", errs.String(), w)
		}
	}
}

// TestLeftOut has files without a complete line beside a good one.
func TestLeftOut(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	folder := filepath.Join(dir, "fig3-parkinsons", "small")
	for name, text := range map[string]string{"adam-seed1.jsonl": "", "adam-seed2.jsonl": `{"experiment": "fig3-`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "R.md")
	var out, errs strings.Builder
	if code := Command(context.Background(), []string{"-o", path, dir}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	for _, name := range []string{"adam-seed1.jsonl", "adam-seed2.jsonl"} {
		if !strings.Contains(errs.String(), filepath.Join(folder, name)+" is left out") {
			t.Errorf("%s is not named: %s", name, errs.String())
		}
	}
	if !strings.Contains(written(t, path), "| SGDm | 1 |") {
		t.Error("the good run is missing")
	}
}

// TestDamagedResults has files that no run writes.
func TestDamagedResults(t *testing.T) {
	at := func(dir, name string) string { return filepath.Join(dir, "fig3-parkinsons", "small", name) }
	const evaluation = `{"step":3,"train_loss":1}`
	for name, test := range map[string]struct {
		damage func(lines []string) []string // of the file sgdm-seed1.jsonl
		want   string
	}{
		"null for a header":      {func(l []string) []string { return append([]string{"null"}, l[1:]...) }, "line 1: \"null\" names no experiment"},
		"no header":              {func(l []string) []string { return l[1:] }, "line 1"},
		"null for an evaluation": {func(l []string) []string { l[2] = "null"; return l }, "line 3: \"null\" is neither"},
		"an empty line":          {func(l []string) []string { l[2] = ""; return l }, "line 3"},
		"a list":                 {func(l []string) []string { l[2] = "[]"; return l }, "line 3"},
		"an empty object":        {func(l []string) []string { l[1] = "{}"; return l }, "line 2: \"{}\" is neither"},
		"no loss":                {func(l []string) []string { l[1] = `{"step":0}`; return l }, "line 2"},
		"half a line":            {func(l []string) []string { l[2] = l[2][:9]; return l }, "line 3"},
		"a line twice":           {func(l []string) []string { l[2] = l[1]; return l }, "line 3: step 0 after step 0"},
		"the file twice":         {func(l []string) []string { return append(l[:len(l)-1], l...) }, "line 8"},
		"an evaluation more":     {func(l []string) []string { return append(l[:len(l)-1], evaluation, "") }, "ended in the line before"},
		"another experiment": {func(l []string) []string {
			l[0] = strings.Replace(l[0], "fig3-parkinsons", "fig3-protein", 1)
			return l
		}, "fig3-protein"},
		"another scale":  {func(l []string) []string { l[0] = strings.Replace(l[0], `"small"`, `"paper"`, 1); return l }, "paper"},
		"unknown method": {func(l []string) []string { l[0] = strings.Replace(l[0], `"sgdm"`, `"lion"`, 1); return l }, "lion"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
			path := at(dir, "sgdm-seed1.jsonl")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			damaged := strings.Join(test.damage(strings.Split(string(text), "\n")), "\n")
			if err := os.WriteFile(path, []byte(damaged), 0o666); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, path, test.want)
			if now, err := os.ReadFile(path); err != nil || string(now) != damaged {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// TestSameRunTwice has a copy of a run under another name.
func TestSameRunTwice(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	folder := filepath.Join(dir, "fig3-parkinsons", "small")
	text, err := os.ReadFile(filepath.Join(folder, "sgdm-seed1.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "copy.jsonl"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "sgdm-seed1.jsonl", "copy.jsonl", "the same run", "sgdm", "seed 1")
}

// TestNoResults has folders without results, and a name that is a pattern of Glob.
func TestNoResults(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{base, file, filepath.Join(base, "nowhere")} {
		refused(t, dir, dir)
	}
	odd := filepath.Join(base, "[a-")
	fabricate(t, odd, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	report(t, "-o", filepath.Join(base, "r.md"), odd)
}

// TestDamagedComputed damages a computed result.
func TestDamagedComputed(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	path := suite.ComputedPath(dir, "fig1", experiments.Small)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"x": [`), 0o666); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, path)
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	if code := Command(context.Background(), []string{dir}, &out, &errs); code != 0 || !strings.Contains(errs.String(), path) {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	for seed := uint64(1); seed <= 3; seed++ {
		x := float64(seed)
		fabricate(t, dir, "fig3-parkinsons", "sgdm", "", seed, 0.02*x, false)
		fabricate(t, dir, "fig3-parkinsons", "adam", "", seed, 0.01*x, false)
		fabricate(t, dir, "fig3-parkinsons", "precond-plain", "", seed, 0.002*x, false)
		fabricate(t, dir, "fig4-mnist-lr", "sgdm", "", seed, 0.01*x, false)
		fabricate(t, dir, "fig4-mnist-lr", "sgdm-apo", "from-low", seed, 0.009*x, false)
		fabricate(t, dir, "fig4-mnist-lr", "sgdm-apo", "from-high", seed, 0.5, seed > 1)
	}
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	md := written(t, path)
	for _, c := range []struct {
		what string
		line string
		want []string
	}{
		{"losses", line(md, "| APO-Precond (plain) |", "ms") + line(md, "| APO-Precond (plain) | 3 |"), []string{"0.004 (0.002 … 0.006)"}},
		{"claim that needs KFAC", line(md, "reaches a lower training loss than all baselines", "parkinsons"), []string{"not run", "shampoo was not run"}},
		{"goal by time", line(md, "reaches Adam's final loss no later", "parkinsons"), []string{"**holds**", "70.9 s against Adam's 100 s"}},
		{"APO against fixed", line(md, "at most that of the best fixed rate", "from low"), []string{"**holds**"}},
		{"half of fixed", line(md, "substantially lower", "from low"), []string{"**does not hold**"}},
		{"diverged", line(md, "at most that of the best fixed rate", "from high"), []string{"**does not hold**", "diverged"}},
		{"Table 4's layout", line(md, "| final training loss | best fixed"), []string{"APO (plain), from low", "APO (plain), from high"}},
		{"experiment without results", line(md, "fig3-protein"), []string{"not run"}},
		{"missing methods", line(md, "Not run: shampoo"), []string{"kfac"}},
		{"divergence", line(md, "seed 2, diverged at step 100"), []string{"the loss is NaN"}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.line, w) {
				t.Errorf("%s: %q lacks %q", c.what, c.line, w)
			}
		}
	}
	for _, name := range []string{"fig3-parkinsons-small-loss-steps", "fig3-parkinsons-small-loss-time", "fig4-mnist-lr-small-sgdm-loss-steps", "fig4-mnist-lr-small-sgdm-rate-steps"} {
		for _, ext := range []string{".png", ".svg"} {
			if _, err := os.Stat(filepath.Join(dir, "results-figures", name+ext)); err != nil {
				t.Error(err)
			}
		}
		if !strings.Contains(md, "../results-figures/"+name+".png") {
			t.Errorf("the text does not show %s", name)
		}
	}
}

// Claims compare with the best of a method's learning rates, and the tables have them all.
func TestBestOfTheRates(t *testing.T) {
	dir := t.TempDir()
	for method, variants := range map[string]map[string]float64{
		"sgdm":     {"": 0.01, "tenth-of-the-rate": 0.02, "three-times-the-rate": 0.001},
		"sgdm-apo": {"from-low": 0.0008, "from-high": 0.0004},
		"rmsprop":  {"": 0.01, "third-of-the-rate": 0.1},
	} {
		for variant, final := range variants {
			fabricateAt(t, dir, "fig4-mnist-lr", experiments.Paper, method, variant, 1, final, false)
		}
	}
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	md := written(t, path)
	for _, c := range []struct {
		line string
		want []string
	}{
		{line(md, "substantially lower", "from low"), []string{"**does not hold**", "three times the rate 0.0005"}},
		{line(md, "substantially lower", "from high"), []string{"**holds**"}},
		{line(md, "| final training loss |"), []string{"| fixed |", "| fixed, tenth of the rate |", "| fixed, three times the rate |"}},
		{line(md, "| SGDm | 0.01 "), []string{"| 0.02 ", "| 0.001 "}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.line, w) {
				t.Errorf("%q lacks %q", c.line, w)
			}
		}
	}
}

func TestFig1Claims(t *testing.T) {
	f := experiments.Fig1{ExampleX: 0}
	flat, spike, local := make([]float64, 0), make([]float64, 0), make([]float64, 0)
	for x := -2.0; x <= 2.001; x += 0.05 {
		f.X, f.Before = append(f.X, x), append(f.Before, 0)
		flat = append(flat, 1)
		spike = append(spike, math.Exp(-1000*x*x))
		local = append(local, math.Exp(-5*x*x))
	}
	panels := func(wsd, fsd, both []float64) {
		f.Panels = []experiments.Fig1Panel{
			{Name: "wsd", Curves: []experiments.Fig1Curve{{After: wsd}}},
			{Name: "fsd", Curves: []experiments.Fig1Curve{{After: fsd}}},
			{Name: "both", Curves: []experiments.Fig1Curve{{After: both}}},
		}
	}
	verdicts := func() (all []verdict) {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		e, err := experiments.Get("fig1")
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Computation.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range (&section{e: e, result: r}).findings(computedClaims()) {
			all = append(all, f.verdict)
		}
		return all
	}
	panels(flat, spike, local)
	for i, v := range verdicts() {
		if v != holds {
			t.Errorf("claim %d of Figure 1's shapes: %s", i, v)
		}
	}
	panels(spike, flat, flat)
	for i, v := range verdicts() {
		if v != fails {
			t.Errorf("claim %d of the opposite shapes: %s", i, v)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"-x"}} {
		var out, errs strings.Builder
		if code := Command(context.Background(), args, &out, &errs); code != 2 || errs.String() == "" {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
	var out, errs strings.Builder
	if code := Command(context.Background(), []string{t.TempDir()}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "no results") {
		t.Errorf("an empty folder: exit code %d, %s", code, errs.String())
	}
}
