package scaling

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// TestMain lets the test binary act as the program with the subcommand.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Name {
		os.Exit(Run(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = Run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestHelp(t *testing.T) {
	code, stdout, stderr := run("-h")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage") || !strings.Contains(stdout, "-bandwidth") || !strings.Contains(stdout, "transformer") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestWrongUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-nonsense"}, {"file"}, {"-rounds", "0"}, {"-seconds", "0"}, {"-seconds", "NaN"}, {"-largest", "0"}, {"-only", "lenet,nonet"}, {"-rules", "adagrad"},
		{"-compare", "norule"}, {"-compare", "kfac", "-rules", "sgdm"}, {"-bandwidth", "10"}, {"-bandwidth", "-1,2"}, {"-latency", "x,1"}, {"-bandwidth", "10,10"},
		{"-out", ""}, {"-out", file}} {
		code, stdout, stderr := run(args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, "-h lists the flags") || !strings.Contains(stderr, args[0]) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	if code, _, stderr := run("-member", `{"net":"nonet","rule":"sgdm","batch":2}`); code != 1 || !strings.Contains(stderr, "nonet") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if code, _, stderr := run("-mpirun", "no-such-mpirun"); code != 1 || !strings.Contains(stderr, "no-such-mpirun") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestFit(t *testing.T) {
	for want, y := range map[line][]float64{{3, 2}: {5, 7, 23}, {0, 2}: {2, 4, 20}, {4, 0}: {4, 4, 4}} {
		got, err := fit([]float64{1, 2, 10}, y)
		if err != nil || math.Abs(got.a-want.a) > 1e-9 || math.Abs(got.b-want.b) > 1e-9 {
			t.Errorf("%v: %v, %v", want, got, err)
		}
	}
	if l, err := fit([]float64{1, 2}, []float64{1, 9}); err != nil || l.a != 0 || l.b <= 0 { // no negative time
		t.Errorf("%v, %v", l, err)
	}
	if _, err := fit([]float64{1, 1}, []float64{1, 2}); err == nil {
		t.Error("one size is enough")
	}
	n, err := networkOf("net", map[int]float64{1: 2 * 5e-6, 1e6: 1, 2e6: 2*5e-6 + 0.002, 1e8: 2*5e-6 + 0.1})
	if err != nil || math.Abs(n.Latency-5e-6) > 1e-9 || math.Abs(n.Bandwidth-1e9) > 1e3 {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := networkOf("net", map[int]float64{1: 1, 2: 0.5}); err != nil || n.Bandwidth != 4 {
		t.Errorf("where small sums take longer: %+v, %v", n, err)
	}
	if _, err := networkOf("net", map[int]float64{1: 1, 2: 0}); err == nil {
		t.Error("a sum in no time")
	}
}

// TestPredict compares the model with its formula, worked out by hand.
func TestPredict(t *testing.T) {
	net := Network{Latency: 1e-3, Bandwidth: 1 << 20}
	w := Work{Fixed: 1, Each: 0.5, Divided: 8, Largest: 3, Sums: map[int]Load{16: {Bytes: 2<<20 + 1}, 512: {Bytes: 9 << 20}}}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("%s: %v, not %v", what, got, want)
		}
	}
	near("one process", w.Predict(16, 1, net).Total(), 1+8+8)
	four := w.Predict(16, 4, net)
	near("compute", four.Compute, 1+0.5*4)
	near("work that is not divided", four.SecondOrder, 8)
	near("sums in 3 buckets", four.Transfer, 1.5*2+2*3*3*1e-3)
	near("a batch that 3 do not divide", w.Predict(16, 3, net).Compute, 1+0.5*6)
	near("more processes than examples", w.Predict(16, 1024, net).Compute, 1.5)
	near("other sums", w.Predict(512, 2, net).Transfer, 9+2*9*1e-3)
	w.Sums[512] = Load{Bytes: 9 << 20, Calls: 3}
	near("sums larger than a bucket", w.Predict(512, 2, net).Transfer, 9+2*3*1e-3)
	w.Shared = Load{Bytes: 4 << 20, Calls: 10}
	shared := w.Predict(16, 2, net)
	near("divided work", shared.SecondOrder, 4)
	near("results that are sent", shared.Transfer, 2+2*3*1e-3+2+10*1e-3)
	near("the largest layer", w.Predict(16, 4, net).SecondOrder, 3)
}

// TestMeans weighs steps by how often they are.
func TestMeans(t *testing.T) {
	r, err := findRule("kfac")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0, 1, 0, 2} {
		if got := r.kind(i, false); got != want {
			t.Errorf("step %d is of kind %d, not %d", i, got, want)
		}
	}
	if got := r.mean([]float64{1, 3, 53}); math.Abs(got-(1+0.2+0.5)) > 1e-12 {
		t.Errorf("mean %v", got)
	}
	if shared, divided := r.split([]float64{1, 3, 53}); math.Abs(shared-1.2) > 1e-12 || math.Abs(divided-0.5) > 1e-12 {
		t.Errorf("split %v, %v", shared, divided)
	}
}

// TestLeNet measures little, and reads what is written.
func TestLeNet(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: processes take seconds")
	}
	out := filepath.Join(t.TempDir(), "out")
	// On a busy machine the least of a few steps on 16 images can be above that on 64.
	code, stdout, stderr := run("-only", "lenet", "-rounds", "2", "-seconds", "0.2", "-largest", "1", "-rules", "sgdm,kfac", "-compare", "kfac", "-out", out)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stdout %s, stderr %s", code, stdout, stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "measurements.json"))
	var r results
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || len(r.Works) != 2 {
		t.Fatalf("%v, %+v", err, r.Works)
	}
	for _, w := range r.Works {
		if w.Parameters != 62006 || !(w.Each > 0) || w.Sums[512].Bytes < 4*62006 || w.Rule == "sgdm" && w.Sums[512].Bytes > 4*62100 {
			t.Errorf("%s: %d parameters, %+v", w.Rule, w.Parameters, w.Work)
		}
		if kfac := w.Rule == "kfac"; kfac != (w.Divided > 0) || w.Largest > w.Divided {
			t.Errorf("%s: %+v", w.Rule, w.Work)
		}
	}
	want := 2 // batches by one process
	if _, err := exec.LookPath("mpirun"); err == nil {
		want *= 2
	}
	if len(r.Comparisons) != want {
		t.Errorf("%d comparisons, not %d: %+v", len(r.Comparisons), want, r.Comparisons)
	}
	for _, c := range r.Comparisons {
		if !(c.Predicted > 0 && c.Measured > 0) {
			t.Errorf("%+v", c)
		}
	}
	table, err := os.Open(filepath.Join(out, "scaling.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	rows, err := csv.NewReader(table).ReadAll()
	if networks := 1 + want/2; err != nil || len(rows) != 1+2*networks*len(growths)*len(counts) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	for _, name := range []string{"scaling.md", "scaling-lenet.svg", "scaling-lenet.png"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestInterrupted ends soon and leaves no files.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out := filepath.Join(t.TempDir(), "out")
	var stdout, stderr strings.Builder
	began := time.Now()
	if code := Run(ctx, []string{"-only", "lenet", "-seconds", "60", "-out", out}, &stdout, &stderr); code != 130 {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
	if took := time.Since(began); took > endTime+10*time.Second {
		t.Errorf("it ends after %v", took)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("files of a run that was interrupted")
	}
}

// canceller ends a context when the text is written.
type canceller struct {
	text   string
	cancel func()
}

func (c canceller) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return len(p), nil
}

// TestInterruptedLater is interrupted in the second round: the first is kept.
func TestInterruptedLater(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: processes take seconds")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := filepath.Join(t.TempDir(), "out")
	var stderr strings.Builder
	code := Run(ctx, []string{"-only", "lenet", "-rounds", "3", "-seconds", "0.001", "-largest", "1", "-rules", "sgdm", "-out", out}, canceller{"round 2 of 3", cancel}, &stderr)
	if code != 130 || !strings.Contains(stderr.String(), "has what was measured") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "measurements.json"))
	var r results
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || r.Rounds != 1 || len(r.Works) != 1 {
		t.Errorf("%v, %d rounds, %+v", err, r.Rounds, r.Works)
	}
	for _, name := range []string{"scaling.csv", "scaling.md", "scaling-lenet.svg"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestFrom predicts from measurements of another run.
func TestFrom(t *testing.T) {
	step := func(net, rule, side string, batch int, s float64) *trial {
		return &trial{Net: net, Rule: rule, Side: side, Batch: batch, Parameters: 10, Steps: []stepTime{{Seconds: s, Counts: collective.Counts{Sums: 1, SumBytes: 4000}}}}
	}
	stored := &results{
		Environment: suite.Environment{CPU: "that machine"}, Rounds: 7, Sums: []sumTimes{{1 << 10, []float64{1e-5}}, {1 << 20, []float64{1e-3}}},
		Trials: []*trial{step("lenet", "sgdm", oneCore, 16, 0.001), step("lenet", "sgdm", oneCore, 64, 0.004), step("lenet", "sgdm", counted, 128, 1), step("lenet", "sgdm", counted, 512, 1), step("lenet", "sgdm", allCores, 128, 0.008)},
	}
	text, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "measurements.json")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(folder, "out")
	code, stdout, stderr := run("-from", file, "-only", "lenet", "-rules", "sgdm", "-bandwidth", "3", "-latency", "5", "-out", out)
	if code != 0 {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	page, err := os.ReadFile(filepath.Join(out, "scaling.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"that machine", "Rounds: 7", "3 Gbit/s", "LeNet, SGDm"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	// Predicting again from what was written changes nothing.
	again := filepath.Join(folder, "again")
	if code, _, stderr := run("-from", filepath.Join(out, "measurements.json"), "-only", "lenet", "-rules", "sgdm", "-bandwidth", "3", "-latency", "5", "-out", again); code != 0 {
		t.Fatal(stderr)
	}
	if second, err := os.ReadFile(filepath.Join(again, "scaling.md")); err != nil || string(second) != string(page) {
		t.Errorf("%v, the second page differs:\n%s", err, second)
	}
	for content, want := range map[string]string{"": "-from", "{": "-from", "{}": "no measurement"} {
		if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := run("-from", file, "-out", filepath.Join(folder, "none")); code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d, %s", content, code, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "none")); err == nil {
		t.Error("files from nothing")
	}
	if code, _, stderr := run("-from", filepath.Join(folder, "nosuch")); code != 1 || !strings.Contains(stderr, "nosuch") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
