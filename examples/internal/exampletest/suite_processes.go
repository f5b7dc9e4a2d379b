package exampletest

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// testProcesses runs the program in several processes: the numbers are those of one, the
// files and the lines printed are there once, and other numbers of processes go on with the
// checkpoint.
func (s *Suite) testProcesses(t *testing.T, data string) {
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	launcher := Launchers(t)[0]
	args := With(s.Small, With(s.Extendable, "-dtype", "float64")...)
	together := func(n int, args ...string) string {
		p := launcher.Start(t, n, []string{s.Env(data)}, args...)
		if code := p.Wait(3 * time.Minute); code != cli.OK {
			t.Fatalf("%d processes: exit code %d\n%s", n, code, p.Output())
		}
		return p.Output()
	}
	one, two := t.TempDir(), t.TempDir()
	s.MustRun(t, data, With(args, "-out", one)...)
	output := together(2, With(args, "-out", two)...)
	CloseRuns(t, one, two, 1e-8)
	if a, b := names(t, one), names(t, two); !slices.Equal(a, b) {
		t.Errorf("two processes leave %v, one %v", b, a)
	}
	for text, want := range map[string]int{"BLAS: ": 1, "test loss": 3, "results in " + two: 1, "epoch 2: 2 of 6": 1} {
		if n := strings.Count(output, text); n != want {
			t.Errorf("%q is printed %d times:\n%s", text, n, output)
		}
	}
	if dry := together(2, With(args, "-dry-run", "-out", filepath.Join(two, "dry"))...); strings.Count(dry, "a step: ") != 1 {
		t.Errorf("two processes say what a run will take:\n%s", dry)
	}
	for _, n := range []int{1, 3} {
		parts := t.TempDir()
		together(2, With(args, "-epochs", "1", "-log", "tensorboard,mlflow", "-out", parts)...)
		if events := eventFiles(t, parts); len(events) != 1 {
			t.Errorf("two processes write %d event files", len(events))
		}
		if more := []string{"-resume", "-epochs", "3", "-out", parts}; n == 1 {
			s.MustRun(t, data, more...)
		} else {
			together(n, more...)
		}
		CloseRuns(t, one, parts, 1e-8)
		if losses := strings.Count(s.mlflowRun(t, parts, "metrics/loss"), "\n"); losses != 18 {
			t.Errorf("MLflow has %d losses of two and then %d processes", losses, n)
		}
		if events := eventFiles(t, parts); len(events) != 2 {
			t.Errorf("%d event files of a run and one that goes on", len(events))
		}
	}
}

// names are those of a folder's files.
func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// CloseRuns compares the losses and rates of all steps and the tests of all epochs, but for
// a relative difference.
func CloseRuns(t *testing.T, a, b string, most float64) {
	t.Helper()
	CloseSteps(t, a, b, most)
	rows, others := Table(t, filepath.Join(a, runlog.EpochsCSV)), Table(t, filepath.Join(b, runlog.EpochsCSV))
	if len(rows) != len(others) {
		t.Fatalf("%d and %d rows in epochs.csv", len(rows), len(others))
	}
	for i := 1; i < len(rows); i++ {
		for k, cell := range rows[i] {
			x, errX := strconv.ParseFloat(cell, 64)
			y, errY := strconv.ParseFloat(others[i][k], 64)
			if errX != nil || errY != nil || off(x, y, most) {
				t.Errorf("epochs.csv, row %d: %v and %v", i, rows[i], others[i])
				break
			}
		}
	}
}

// CloseSteps compares the losses and rates of all steps.
func CloseSteps(t *testing.T, a, b string, most float64) {
	t.Helper()
	x, err := runlog.ReadSteps(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := runlog.ReadSteps(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(x) != len(y) {
		t.Fatalf("%d and %d steps", len(x), len(y))
	}
	for i := range x {
		if x[i].Step != y[i].Step || off(x[i].Loss, y[i].Loss, most) || len(x[i].Rates) != len(y[i].Rates) || len(x[i].Rates) > 0 && off(x[i].Rates[0], y[i].Rates[0], most) {
			t.Fatalf("step %d: %+v and %+v", i, x[i], y[i])
		}
	}
}

// off reports a difference.
func off(x, y, most float64) bool { return !(math.Abs(x-y) <= most*max(1e-3, math.Abs(x))) }
