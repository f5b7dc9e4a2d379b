package peers

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/python"
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
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage") || !strings.Contains(stdout, "-rounds") || !strings.Contains(stdout, "resnet18") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"file"}, {"-rounds", "0"}, {"-steps", "-2"}, {"-batch", "0"}, {"-tokens", "1"}, {"-tokens", "-1"}, {"-warmup", "-2"},
		{"-threads", "two"}, {"-threads", "2,-1"}, {"-threads", ""}, {"-only", "lenet,nonet"}, {"-ours", "nonet"}, {"-only", "transformer", "-bfloat16"}, {"-ours", "translate", "-bfloat16"}, {"-cpuprofile", "file"}, {"-others", "-bfloat16"},
		{"-optimizer", "sgd"}, {"-optimizer", "adam", "-only", "kfac"}, {"-optimizer", "adam", "-others"}} {
		code, stdout, stderr := run(args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, "-h lists the flags") || !strings.Contains(stderr, args[0]) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestSkippedWithoutTorch(t *testing.T) {
	code, stdout, stderr := run("-python", "no-such-python")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "skipped: PyTorch not found") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestOurs(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "profile")
	code, stdout, stderr := run("-ours", "lenet", "-batch", "2", "-steps", "3", "-warmup", "1", "-cpuprofile", profile)
	var m measurement
	if err := json.Unmarshal([]byte(stdout), &m); code != 0 || stderr != "" || err != nil {
		t.Fatalf("exit code %d, %v, stdout %q, stderr %q", code, err, stdout, stderr)
	}
	if !(m.Min > 0 && m.Min <= m.Median) || m.BLAS == "" || m.Version == "" || m.Threads < 1 || m.Parameters != 62006 {
		t.Fatalf("measured %+v", m)
	}
	if runtime.GOOS == "linux" && !(0 < m.Base && m.Base <= m.Peak) {
		t.Fatalf("measured %+v", m)
	}
	if s, err := os.Stat(profile); err != nil || s.Size() == 0 {
		t.Fatalf("profile: %v, %v", s, err)
	}
}

// Whole comparisons if PyTorch is installed.
func TestComparisons(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	out := filepath.Join(t.TempDir(), "measurements")
	code, stdout, stderr := run("-only", "lenet,mlp", "-batch", "2", "-steps", "1", "-warmup", "0", "-rounds", "1", "-threads", "1", "-out", out)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if strings.HasPrefix(stdout, "skipped") {
		t.Skip(strings.TrimSpace(stdout))
	}
	if !strings.Contains(stdout, "ours/PyTorch-1") || strings.Index(stdout, "lenet: ") < strings.Index(stdout, "mlp: ") {
		t.Fatalf("no ratio, or not in order, in %q", stdout)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var sides []string
	for _, line := range lines {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Side == "" || r.Steps != 1 || r.Min <= 0 || r.Parameters == 0 {
			t.Errorf("%v in %s", err, line)
		}
		sides = append(sides, r.Net+" "+r.Side)
	}
	if want := []string{"mlp ours", "mlp PyTorch-1", "mlp PyTorch-1-kept", "lenet ours", "lenet PyTorch-1", "lenet PyTorch-1-kept", "lenet PyTorch-1-kept-last"}; !slices.Equal(sides, want) {
		t.Errorf("measured %q, want %q", sides, want)
	}
}

// In bfloat16 PyTorch has twice as many sides.
func TestComparisonInBFloat16(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	code, stdout, stderr := run("-bfloat16", "-only", "mlp", "-batch", "2", "-steps", "1", "-warmup", "0", "-rounds", "1", "-threads", "1")
	if strings.HasPrefix(stdout, "skipped") {
		t.Skip(strings.TrimSpace(stdout))
	}
	if code != 0 || stderr != "" || !strings.Contains(stdout, "PyTorch-1-autocast") || !strings.Contains(stdout, "PyTorch-1-kept-bfloat16") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// Both ways of PyTorch have the losses of this library.
func TestTransformersTrainAlike(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("PyTorch not found")
	}
	const net = "transformer-tiny"
	s := settings{tokens: 128, steps: 4}
	sides, done, err := transformerSides(python, net, []int{1}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ours := &side{name: "ours", run: func(context.Context) (measurement, error) { return measureOurs(net, s, "") }}
	if err := measureInTurn(context.Background(), 1, append([]*side{ours}, sides...), ignore); err != nil {
		t.Fatal(err)
	}
	for i, c := range sides {
		if m := c.all[0]; len(m.Losses) != 4 || m.Losses[3] == m.Losses[1] || m.Peak < m.Base {
			t.Errorf("side %d: %+v", i, m)
		}
	}
}

func TestMeasureRefusesDifferentLosses(t *testing.T) {
	for _, losses := range [][]float64{{9, 8.97}, {9}, {9, math.NaN()}} {
		a, b := fake(1), fake(1)
		for c, l := range map[*side][]float64{a: {9, 9}, b: losses} {
			run := c.run
			c.run = func(ctx context.Context) (measurement, error) {
				m, err := run(ctx)
				m.Losses = l
				return m, err
			}
		}
		err := measureInTurn(context.Background(), 1, []*side{a, b}, ignore)
		if err == nil || !strings.Contains(err.Error(), "not the same training") {
			t.Errorf("losses %v: error %v", losses, err)
		}
	}
}

func TestSummaryTakesTheFastestSide(t *testing.T) {
	a, b, c := fake(2), fake(4), fake(1)
	if err := measureInTurn(context.Background(), 1, []*side{a, b, c}, ignore); err != nil {
		t.Fatal(err)
	}
	if fastest([]*side{a, b, c}) != c || fastest([]*side{a, b}) != a {
		t.Error("not the fastest")
	}
}

// Sentences are of IWSLT's lengths: the batches have few sentences of many tokens or many
// of few, and little padding.
func TestSentenceBatches(t *testing.T) {
	batches, err := sentenceBatches(4096)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range batches {
		n := b.T[0].DataSize()
		padding := 0
		for _, id := range b.T[0].Ints() {
			if id == 0 {
				padding++
			}
		}
		if n > 4096 || n < 3500 || padding > n/4 {
			t.Errorf("batch %d of shape %v has %d tokens of padding", i, b.T[0].Shape(), padding)
		}
	}
	if batches[0].T[0].Shape().Eq(batches[1].T[0].Shape()) {
		t.Errorf("both batches of shape %v", batches[0].T[0].Shape())
	}
}

func ignore(int, string, measurement) error { return nil }

func fake(medians ...float64) *side {
	c := &side{name: "fake"}
	c.run = func(context.Context) (measurement, error) {
		i := len(c.all)
		if i >= len(medians) {
			return measurement{}, errors.New("worn out")
		}
		m := measurement{Median: medians[i], Min: medians[i] / 2, Version: "v1", BLAS: "none", Threads: 2}
		m.Peak, m.Base, m.Parameters = int64(2e6*medians[len(medians)-1]), 2e6, 7
		return m, nil
	}
	return c
}

func TestReport(t *testing.T) {
	a, b, c := fake(9, 1, 3), fake(6, 6, 6), fake(7, 7, 2)
	a.name, b.name, c.name = "A", "B", "C"
	sides := []*side{a, b, c}
	if err := measureInTurn(context.Background(), 3, sides, ignore); err != nil {
		t.Fatal(err)
	}
	r := result{comparison: comparison{net: "net", goal: goal{time: 0.4, memory: 1.3}}, sides: sides}
	var out strings.Builder
	if err := r.report(&out); err != nil {
		t.Fatal(err)
	}
	if err := summary(&out, []result{r}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		"median ms min ms peak MB over base version BLAS threads",
		"A 3.00 0.50 6 4 v1 none 2",
		"B 6.00 3.00 12 10 v1 none 2",
		"C 7.00 1.00 4 2 v1 none 2",
		"A/B 0.50 0.17 0.50 0.40",
		"A/C 0.43 0.50 1.50 2.00",
		"goal 0.40 0.40 1.30",
		"ours/PyTorch time, median time, min goal memory over base goal time of memory of",
		"net 0.50 0.17 0.40 missed 2.00 1.30 missed B C",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestMeasureNamesTheSideThatFails(t *testing.T) {
	a, b := fake(1, 1), fake(1)
	b.name = "tired"
	err := measureInTurn(context.Background(), 2, []*side{a, b}, ignore)
	if err == nil || !strings.Contains(err.Error(), "tired: worn out") {
		t.Fatalf("error %v", err)
	}
}

func TestMeasureRefusesDifferentNets(t *testing.T) {
	a, b := fake(1), fake(1)
	run := b.run
	b.run = func(ctx context.Context) (measurement, error) {
		m, err := run(ctx)
		m.Parameters++
		return m, err
	}
	err := measureInTurn(context.Background(), 1, []*side{a, b}, ignore)
	if err == nil || !strings.Contains(err.Error(), "7 parameters in fake, 8 in fake") {
		t.Fatalf("error %v", err)
	}
}

func TestBusy(t *testing.T) {
	const before = "cpu  100 10 20 1000 50 0 5 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
	for after, want := range map[string]string{
		"cpu  110 10 20 1180 60 0 5 0 0 0\n":   "",    // 10 of 200 ticks
		"cpu  149 20 40 1116 50 0 10 0 0 0\n":  "42%", // 84 of 200
		"cpu  100 10 20 1100 50 0 5 100 0 0\n": "50%", // a tenant of the same host
		"cpu  100 10 20 1100 50 0 5 0 500 0\n": "",    // a guest's time is in the user's
		before:                                 "", "": "", "cpu x\n": "", "other\n": "",
	} {
		if got := busyBetween(before, after); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", after, got, want)
		}
	}
	if text := Busy(); text != "" && !strings.Contains(text, "%") {
		t.Error(text)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{[]float64{2}, 2}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}} {
		if got := median(c.x); got != c.want {
			t.Errorf("median of %v is %v", c.x, got)
		}
	}
}
