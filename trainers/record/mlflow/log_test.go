package mlflow

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/internal/errortest"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// stats has values of the step; those of meta-steps are rarer.
func stats(step int) record.Stats {
	x := float64(step) + 0.1
	s := record.Stats{Step: step, Loss: 1 / x, Rates: []float64{x, 2 * x}, BaseTime: time.Duration(step) * time.Millisecond}
	if step%4 == 0 {
		s.Meta = &record.MetaStats{Q: 4 * x, GradNorm: math.NaN(), FSD: math.Inf(1), WSD: math.Inf(-1)}
		s.Precond = []record.PrecondNorms{{Block: "conv 1 (3×3)/W", S: 6 * x}, {Block: "conv 1 {3×3}/W", S: 7 * x}}
	}
	return s
}

// clock goes on by 100 ms with each look at it.
func clock() time.Time {
	at = at.Add(100 * time.Millisecond)
	return at
}

var at = time.UnixMilli(1_700_000_000_000)

func mustOpen(t *testing.T, c Config, steps int) *Log {
	t.Helper()
	l, err := open(c, steps, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func mustRecord(t *testing.T, l *Log, from, to int) {
	t.Helper()
	for step := from; step < to; step++ {
		if err := l.Record(stats(step)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustClose(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// wantRun compares the values of a run with the statistics of so many steps.
func wantRun(t *testing.T, r storedRun, steps int) {
	t.Helper()
	want := map[string]string{}
	for step := range steps {
		for name, v := range stats(step).Scalars() {
			name = strings.NewReplacer("(", "_", "×", "_", ")", "_").Replace(name)
			if strings.Contains(name, "{") { // its name is taken
				name = strings.NewReplacer("{", "_", "}", "_").Replace(name) + "_"
			}
			want[name] += fmt.Sprintln(step, v)
		}
	}
	got := map[string]string{}
	for name, values := range r.Metrics {
		last := 0.0
		for _, v := range values {
			if ms := v[0].(float64); ms < last || ms < 1.7e12 {
				t.Errorf("%s: %v after %v", name, ms, last)
			} else {
				last = ms
			}
			x, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				t.Fatal(err)
			}
			got[name] += fmt.Sprintln(v[2], x)
		}
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got\n%swant\n%s", name, got[name], want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("more than there should be: %v", got)
	}
}

func TestLog(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a store [1]", "mlruns")
	c := Config{Folder: root, Experiment: `mnist: "deep"`, Run: "sgdm #1", Params: map[string]string{"lr": "0.1", "settings: x": "{\n}"}}
	l := mustOpen(t, c, 0)
	mustRecord(t, l, 0, 30)
	if err := l.Image("curves/loss", 29, []byte("picture")); err != nil {
		t.Fatal(err)
	}
	r := readStore(t, root)[c.Experiment].Runs[c.Run]
	if r.Status != "RUNNING" || r.End != nil {
		t.Errorf("on the way the run is %s, ended %v", r.Status, r.End)
	}
	l.Finish()
	mustClose(t, l)
	store := readStore(t, root)
	r = store[c.Experiment].Runs[c.Run]
	wantRun(t, r, 30)
	if _, ok := store["Default"]; !ok || len(store) != 2 {
		t.Errorf("experiments %v", store)
	}
	if r.Status != "FINISHED" || r.End == nil || *r.End <= r.Start {
		t.Errorf("the run is %s, from %d to %v", r.Status, r.Start, r.End)
	}
	if r.Params["lr"] != "0.1" || r.Params["settings_ x"] != "{\n}" || r.Tags["mlflow.runName"] != c.Run || r.Tags["mlflow.source.type"] != "LOCAL" {
		t.Errorf("parameters %q, tags %q", r.Params, r.Tags)
	}
	folder := strings.ReplaceAll(l.Folder(), " ", "%20")
	if uri := strings.NewReplacer("[", "%5B", "]", "%5D").Replace("file://" + folder + "/artifacts"); r.ArtifactURI != uri {
		t.Errorf("artifacts are in %s, want %s", r.ArtifactURI, uri)
	}
	if content, err := os.ReadFile(filepath.Join(l.Folder(), "artifacts", "curves", "loss.png")); err != nil || string(content) != "picture" {
		t.Errorf("%q, %v", content, err)
	}
}

// TestResume stops runs behind their checkpoint and in the middle of a line, and has them
// go on: the store must be that of a run never stopped.
func TestResume(t *testing.T) {
	c := Config{Folder: t.TempDir(), Run: "first"}
	l := mustOpen(t, c, 0)
	mustRecord(t, l, 0, 11)
	mustClose(t, l)
	start := readStore(t, c.Folder)["Default"].Runs["first"].Start
	loss := filepath.Join(l.Folder(), "metrics", "loss")
	text, err := os.ReadFile(loss)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(loss, text[:len(text)-3], 0o666); err != nil {
		t.Fatal(err)
	}
	for _, steps := range []int{8, 3, 3} {
		l = mustOpen(t, c, steps)
		mustRecord(t, l, steps, 9)
		mustClose(t, l)
	}
	r := readStore(t, c.Folder)["Default"].Runs["first"]
	wantRun(t, r, 9)
	if r.Status != "KILLED" || r.Start != start {
		t.Errorf("the run is %s since %d", r.Status, r.Start)
	}
	l = mustOpen(t, c, 0) // a new run of the same name
	mustRecord(t, l, 0, 2)
	mustClose(t, l)
	wantRun(t, readStore(t, c.Folder)["Default"].Runs["first"], 2)
}

// TestNoEmptyMetrics resumes before the first value of some metrics: MLflow does not show a
// run with an empty file.
func TestNoEmptyMetrics(t *testing.T) {
	c := Config{Folder: t.TempDir(), Run: "first"}
	l := mustOpen(t, c, 0)
	mustRecord(t, l, 1, 8)
	mustClose(t, l)
	l = mustOpen(t, c, 3)
	if _, err := os.Stat(filepath.Join(l.Folder(), "metrics", "q", "q")); !os.IsNotExist(err) {
		t.Errorf("q/q of step 4 is there: %v", err)
	}
	if n := len(readStore(t, c.Folder)["Default"].Runs["first"].Metrics["loss"]); n != 2 {
		t.Errorf("%d losses before step 3", n)
	}
}

// TestReadWhileWriting looks at every moment: what is older than flushEvery is there.
func TestReadWhileWriting(t *testing.T) {
	c := Config{Folder: t.TempDir(), Run: "first"}
	now := time.UnixMilli(1_700_000_000_000)
	l, err := open(c, 0, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seconds := int(flushEvery / time.Second)
	for step := range 25 {
		now = now.Add(time.Second)
		mustRecord(t, l, step, step+1)
		text, err := os.ReadFile(filepath.Join(l.Folder(), "metrics", "loss"))
		if n := strings.Count(string(text), "\n"); err != nil || n < step+1-seconds || n > step+1 {
			t.Errorf("%d steps of %d in the file, %v", n, step+1, err)
		}
	}
}

// TestSharedStore has several runs and an experiment that MLflow has made.
func TestSharedStore(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "606783375233873416")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	// Written as by MLflow.
	meta := "artifact_location: file:///x/606783375233873416\ncreation_time: 1721450907221\nexperiment_id: '606783375233873416'\n" +
		"last_update_time: 1721450907221\nlifecycle_stage: active\nname: 'it''s: mine'\n"
	if err := os.WriteFile(filepath.Join(dir, "meta.yaml"), []byte(meta), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{
		{Folder: root, Experiment: "it's: mine", Run: "a"}, {Folder: root, Experiment: "it's: mine", Run: "b"},
		{Folder: root, Experiment: "other", Run: "a"}, {Folder: root, Run: "a"},
	} {
		l := mustOpen(t, c, 0)
		mustRecord(t, l, 0, 3)
		mustClose(t, l)
		if in := filepath.Dir(l.Folder()); (in == dir) != (c.Experiment == "it's: mine") {
			t.Errorf("%+v is in %s", c, in)
		}
	}
	store := readStore(t, root)
	if len(store) != 3 || len(store["it's: mine"].Runs) != 2 || len(store["other"].Runs) != 1 || len(store["Default"].Runs) != 1 {
		t.Errorf("%+v", store)
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"precond/conv1.W/norm_A": "precond/conv1.W/norm_A", "a b-c_9": "a b-c_9", `a:b\c*`: "a_b_c_", "é": "_",
		"": "_", ".": "_", "..": "__", "/": "_/_", "/etc": "_/etc", "../x": "__/x", "a//b": "a/_/b", "a/./b/..": "a/_/b/__",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Config{Folder: file, Run: "a"}, 0)
	errortest.Want(t, err, "Config.Folder", file)
	_, err = Open(Config{Folder: root}, 0)
	errortest.Want(t, err, "Config.Run")
	_, err = Open(Config{Folder: filepath.Join(root, "params"), Run: "a", Params: map[string]string{"λ_FSD": "1", "x": "2", "μ_FSD": "3"}}, 0)
	errortest.Want(t, err, `"a"`, "Config.Params", `"λ_FSD" and "μ_FSD"`)
	_, err = Open(Config{Folder: root, Run: "a"}, -1)
	errortest.Want(t, err, `"a"`, "-1")

	c := Config{Folder: filepath.Join(root, "mlruns"), Run: "a"}
	l := mustOpen(t, c, 0)
	errortest.Want(t, l.Scalar("", 3, 1), l.Folder(), "step 3")
	errortest.Want(t, l.Scalar("x", -1, 1), l.Folder(), "-1")
	for _, name := range []string{"", ".", "..", "/x", "../x"} {
		errortest.Want(t, l.Artifact(name, nil), l.Folder(), fmt.Sprintf("%q", name))
	}
	mustRecord(t, l, 0, 3)
	mustClose(t, l)
	for _, err := range []error{l.Record(stats(3)), l.Scalar("x", 1, 1), l.Image("x", 1, nil), l.Flush(), l.Close()} {
		errortest.Want(t, err, l.Folder(), "closed")
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("the cause of %v is not os.ErrClosed", err)
		}
	}

	loss := filepath.Join(l.Folder(), "metrics", "loss")
	if err := os.WriteFile(loss, []byte("1 2 3\n1 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Open(c, 5)
	errortest.Want(t, err, loss, "line 2")
	// A file where a metric's folder should be.
	l = mustOpen(t, c, 0)
	if err := os.WriteFile(filepath.Join(l.Folder(), "metrics", "rate"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	first := l.Record(stats(1))
	errortest.Want(t, first, filepath.Join(l.Folder(), "metrics", "rate"), "step 1")
	if again := l.Record(stats(2)); again != first {
		t.Errorf("then %v", again)
	}
}
