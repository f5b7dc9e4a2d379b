package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
)

var names = []string{"SGDm", "SGDm-APO", "Adam", "Adam-APO", "APO-Precond"}

func TestQuickstart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"-steps", "20", "-out", dir}, &stdout, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stdout.String(), "BLAS: ") {
		t.Errorf("the BLAS is not named first:\n%s", &stdout)
	}
	checkTable(t, stdout.String(), 5)
	for _, name := range names {
		if n := lines(t, filepath.Join(dir, strings.ToLower(name)+".jsonl")); n != 20 {
			t.Errorf("%s: %d lines in the log, want 20", name, n)
		}
	}
	if n := lines(t, filepath.Join(dir, "evaluations.csv")); n != 1+5*3 { // after 0, 10 and 20 steps
		t.Errorf("evaluations.csv has %d lines, want 16", n)
	}
	exampletest.CheckPicture(t, filepath.Join(dir, "loss.png"))
	exampletest.CheckPicture(t, filepath.Join(dir, "rate.png"))
	starts := make(map[string]bool)
	for _, row := range exampletest.Table(t, filepath.Join(dir, "evaluations.csv")) {
		if row[1] == "0" {
			starts[row[2]] = true
		}
	}
	if len(starts) != 1 {
		t.Errorf("the methods start from the losses %v, not from the same weights", starts)
	}
}

// TestFurtherLogs leaves a run of each method for TensorBoard and for MLflow, without those of
// an earlier run.
func TestFurtherLogs(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := run(t.Context(), []string{"-steps", "12", "-log", "tensorboard,mlflow", "-out", dir}, &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		for pattern, want := range map[string]int{"*/events.out.tfevents.*": len(names), "mlruns/*/*/metrics/loss": len(names), "mlruns/*/*/metrics/rate": len(names) - 1} {
			paths, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
			if err != nil || len(paths) != want {
				t.Errorf("%s: %q, %v", pattern, paths, err)
			}
			for _, path := range paths {
				if strings.Contains(pattern, "metrics") && lines(t, path) != 12 {
					t.Errorf("%s has %d lines", path, lines(t, path))
				}
			}
		}
	}
	metas, err := filepath.Glob(filepath.Join(dir, "mlruns", "*", "*", "meta.yaml"))
	if err != nil || len(metas) != len(names) {
		t.Fatalf("%q, %v", metas, err)
	}
	for _, path := range metas {
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "status: 3") {
			t.Errorf("a run that is not finished (%v):\n%s", err, text)
		}
	}
}

func TestLearnedRateWins(t *testing.T) {
	if testing.Short() {
		t.Skip("trains five nets")
	}
	dir := t.TempDir()
	if err := run(t.Context(), []string{"-steps", "300", "-out", dir}, &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	loss := make(map[string]float64)
	for _, row := range exampletest.Table(t, filepath.Join(dir, "summary.csv"))[1:] {
		v, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		loss[row[0]] = v
	}
	if !(loss["SGDm-APO"] < loss["SGDm"]/2) {
		t.Errorf("final losses %v: SGDm-APO is not clearly below SGDm", loss)
	}
	if !(loss["APO-Precond"] < loss["Adam"]) {
		t.Errorf("final losses %v: APO-Precond is not below Adam", loss)
	}
	t.Log(loss)
}

// In 16 bits each method learns much the same as in float32, and not the very same.
func TestPrecision(t *testing.T) {
	losses := func(args ...string) (all []float64) {
		dir := t.TempDir()
		if err := run(t.Context(), append([]string{"-steps", "20", "-rate", "0.01", "-out", dir}, args...), &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		for _, row := range exampletest.Table(t, filepath.Join(dir, "summary.csv"))[1:] {
			v, err := strconv.ParseFloat(row[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		return all
	}
	full := losses("-precision", "float32")
	for _, format := range []string{"bfloat16", "float16"} {
		for i, loss := range losses("-precision", format) {
			if loss == full[i] || math.Abs(loss-full[i]) > 0.2*full[i] {
				t.Errorf("%s, %s: loss %v, in float32 %v", names[i], format, loss, full[i])
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var stdout bytes.Buffer
	err := run(ctx, []string{"-steps", "50", "-out", dir}, &stdout, exampletest.Canceller{Text: "SGDm-APO: 20 of 50", Cancel: cancel})
	if code := cli.Exit(err, &bytes.Buffer{}); code != cli.Interrupted {
		t.Fatalf("exit code %d for %v", code, err)
	}
	checkTable(t, stdout.String(), 2)
	if n := lines(t, filepath.Join(dir, "sgdm-apo.jsonl")); n != 20 {
		t.Errorf("%d lines in the log, want the 20 steps before the interrupt", n)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
	}{
		{[]string{"-h"}, cli.OK},
		{[]string{"-nosuchflag"}, cli.Usage},
		{[]string{"argument"}, cli.Usage},
		{[]string{"-steps", "0"}, cli.Usage},
		{[]string{"-batch", "5000"}, cli.Usage},
		{[]string{"-rate", "-1"}, cli.Usage},
		{[]string{"-out", string([]byte{0})}, cli.Failed},
	} {
		args := test.args
		if args[0] == "-batch" {
			args = append(args, "-out", t.TempDir())
		}
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), args, &stdout, &stderr)
		if code := cli.Exit(err, &stderr); code != test.code {
			t.Errorf("%q: exit code %d, want %d: %v", test.args, code, test.code, err)
		}
	}
}

// checkTable counts the rows of the table that was printed.
func checkTable(t *testing.T, out string, want int) {
	t.Helper()
	rows := 0
	for _, line := range strings.Split(out, "\n") {
		for _, name := range names {
			if strings.HasPrefix(line, name+" ") {
				rows++
			}
		}
	}
	if rows != want || !strings.Contains(out, "training loss") {
		t.Errorf("%d rows in the table, want %d:\n%s", rows, want, out)
	}
}

func lines(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}
