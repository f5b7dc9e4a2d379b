package peers

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

// TestMain lets the test's own program stand for the one with the subcommand.
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
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage") || !strings.Contains(stdout, "-rounds") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"file"}, {"-rounds", "0"}, {"-steps", "-1"}, {"-batch", "0"}, {"-warmup", "-1"}, {"-threads", "two"}, {"-threads", "2,0"}, {"-threads", ""}} {
		code, stdout, stderr := run(args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, "Usage") || !strings.Contains(stderr, args[0]) {
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
	code, stdout, stderr := run("-ours", "-batch", "2", "-steps", "3", "-warmup", "1")
	var m measurement
	if err := json.Unmarshal([]byte(stdout), &m); code != 0 || stderr != "" || err != nil {
		t.Fatalf("exit code %d, %v, stdout %q, stderr %q", code, err, stdout, stderr)
	}
	if !(m.Min > 0 && m.Min <= m.Median) || m.BLAS == "" || m.Version == "" || m.Threads < 1 {
		t.Fatalf("measured %+v", m)
	}
}

// A whole contest where PyTorch is installed.
func TestContest(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	code, stdout, stderr := run("-batch", "2", "-steps", "2", "-warmup", "1", "-rounds", "1", "-threads", "1")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if strings.HasPrefix(stdout, "skipped") {
		t.Skip(strings.TrimSpace(stdout))
	}
	if !strings.Contains(stdout, "ours/PyTorch-1") {
		t.Fatalf("no ratio in %q", stdout)
	}
}

func fake(medians ...float64) *contender {
	c := &contender{name: "fake"}
	c.run = func(context.Context) (measurement, error) {
		i := len(c.all)
		if i >= len(medians) {
			return measurement{}, errors.New("worn out")
		}
		return measurement{Median: medians[i], Min: medians[i] / 2, Version: "v1", BLAS: "none", Threads: 2}, nil
	}
	return c
}

func TestReport(t *testing.T) {
	a, b := fake(9, 1, 3), fake(6, 6, 6)
	a.name, b.name = "A", "B"
	sides := []*contender{a, b}
	if err := contest(context.Background(), 3, sides); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := report(&out, sides); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		"median ms min ms version BLAS threads",
		"A 3.00 0.50 v1 none 2",
		"B 6.00 3.00 v1 none 2",
		"A/B 0.50 0.17",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestContestNamesTheSideThatFails(t *testing.T) {
	a, b := fake(1, 1), fake(1)
	b.name = "tired"
	err := contest(context.Background(), 2, []*contender{a, b})
	if err == nil || !strings.Contains(err.Error(), "tired: worn out") {
		t.Fatalf("error %v", err)
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
