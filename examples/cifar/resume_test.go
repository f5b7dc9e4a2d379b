package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// killEnv names the folder of the data in the environment of the process that
// is killed.
const killEnv = "APO_TEST_CIFAR_DATA"

// TestMain lets the test binary be the program.
func TestMain(m *testing.M) {
	if data := os.Getenv(killEnv); data != "" {
		os.Exit(cli.Run(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			return run(ctx, args, stdout, stderr, sourceOf(data)...)
		}))
	}
	os.Exit(m.Run())
}

func mustRun(t *testing.T, data string, args ...string) {
	t.Helper()
	if code, _, stderr := start(t, data, args...); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
}

// equalRuns compares the files of two runs, all but the times.
func equalRuns(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"weights.safetensors", "best.safetensors", "checkpoint", "result.json", runlog.EpochsCSV} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs", name)
		}
	}
	x, y := exampletest.Table(t, filepath.Join(a, runlog.StepsCSV)), exampletest.Table(t, filepath.Join(b, runlog.StepsCSV))
	if len(x) != len(y) {
		t.Fatalf("%d rows and %d rows in steps.csv", len(x), len(y))
	}
	times := len(x[0]) - 2 // the last two columns
	for i := range x {
		if strings.Join(x[i][:times], ",") != strings.Join(y[i][:times], ",") {
			t.Fatalf("row %d of steps.csv: %v and %v", i, x[i], y[i])
		}
	}
}

// TestInterrupted ends a run by its context in the midst of an epoch.
func TestInterrupted(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	for name, args := range map[string][]string{
		"calibrated": {"-augment", "-k", "4"},
		"plain":      {"-augment", "-opt", "adam", "-apo", "plain", "-k", "2", "-schedule", "cosine"},
		"kfac":       {"-opt", "kfac"},
		"batch norm": {"-augment", "-model", "resnet8", "-k", "4", "-batch", "4", "-limit", "24"},
	} {
		t.Run(name, func(t *testing.T) {
			whole, parts := t.TempDir(), t.TempDir()
			mustRun(t, data, with(small, append(args, "-out", whole)...)...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stdout bytes.Buffer
			err := run(ctx, with(small, append(args, "-out", parts)...), &stdout,
				exampletest.Canceller{Text: "epoch 2: 4 of 6", Cancel: cancel}, sourceOf(data)...)
			if code := cli.Exit(err, &bytes.Buffer{}); code != cli.Interrupted || !strings.Contains(stdout.String(), "-resume") {
				t.Fatalf("exit code %d for %v\n%s", code, err, &stdout)
			}
			mustRun(t, data, "-resume", "-out", parts)
			equalRuns(t, whole, parts)
		})
	}
}

// TestKilled kills the program again and again at random moments; what it leaves
// in the end is what a run never stopped does, bit for bit.
func TestKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs SIGKILL")
	}
	data := t.TempDir()
	writeData(t, data)
	for _, model := range killedModels {
		t.Run(model, func(t *testing.T) {
			args := []string{"-model", model, "-augment", "-batch", "4", "-limit", "24", "-epochs", "6", "-apo", "plain", "-k", "2"}
			whole, parts := t.TempDir(), t.TempDir()
			began := time.Now()
			if !child(t, data, time.Minute, with(args, "-out", whole)...) {
				t.Fatal("a minute is not enough")
			}
			length := time.Since(began)
			rng := rand.New(rand.NewPCG(4, 4))
			kills := 0
			for args = with(args, "-out", parts); ; {
				patience := time.Minute
				if kills < 4 {
					patience = time.Duration((0.3 + 0.5*rng.Float64()) * float64(length))
				}
				if child(t, data, patience, args...) {
					break
				}
				kills++
				if _, err := os.Stat(filepath.Join(parts, runlog.SettingsJSON)); err == nil {
					args = []string{"-resume", "-out", parts}
				}
			}
			t.Logf("done after %d kills", kills)
			if kills == 0 {
				t.Error("the program was never killed")
			}
			equalRuns(t, whole, parts)
		})
	}
}

// child runs the program in a process of its own, which is killed where it takes
// longer than patience, and tells whether it came to its end.
func child(t *testing.T, data string, patience time.Duration, args ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...) // the end of the context kills it
	c.Env = append(os.Environ(), killEnv+"="+data)
	output, err := c.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return err == nil
}

func TestSavesWhenStopped(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs signals")
	}
	data := t.TempDir()
	writeData(t, data)
	whole, parts := t.TempDir(), t.TempDir()
	args := with(small, "-apo", "plain", "-epochs", "12")
	mustRun(t, data, with(args, "-out", whole)...)
	exampletest.SavesWhenStopped(t, syscall.SIGHUP, killEnv+"="+data, "epoch 2: 2 of 6", with(args, "-out", parts)...)
	mustRun(t, data, "-resume", "-out", parts)
	equalRuns(t, whole, parts)
}

// A run that goes on writes nothing in place but its logs, and a link stays a link.
func TestNothingIsWrittenInPlace(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	out := t.TempDir()
	mustRun(t, data, with(small, "-apo", "plain", "-epochs", "1", "-out", out)...)
	check := exampletest.Hold(t, out, runlog.StepsJSONL, runlog.StepsCSV, runlog.EpochsCSV)
	mustRun(t, data, "-resume", "-epochs", "2", "-out", out)
	check()
}

// killedModels are the nets that are killed, one with batch norm.
var killedModels = []string{"lenet", "resnet8"}

// TestKilledInEvaluation has an epoch that was saved and not yet evaluated, and
// a line of the log that is not whole.
func TestKilledInEvaluation(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	whole, parts := t.TempDir(), t.TempDir()
	args := with(small, "-apo", "plain")
	mustRun(t, data, with(args, "-out", whole)...)
	mustRun(t, data, with(args, "-epochs", "2", "-out", parts)...)
	path := filepath.Join(parts, runlog.EpochsCSV)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	cut := lines[0] + lines[1] + lines[2][:7]
	if err := os.WriteFile(path, []byte(cut), 0o666); err != nil {
		t.Fatal(err)
	}
	mustRun(t, data, "-resume", "-epochs", "3", "-out", parts)
	equalRuns(t, whole, parts)
}

func TestResumeRefuses(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	out := t.TempDir()
	mustRun(t, data, with(small, "-epochs", "1", "-out", out)...)
	for _, args := range [][]string{{"-lr", "0.5"}, {"-batch", "20"}, {"-augment"}, {"-opt", "adam"}, {"-epochs", "2"}, {"-limit", "30"}} {
		code, _, stderr := start(t, data, with(args, "-resume", "-out", out)...)
		if code != cli.Usage || !strings.Contains(stderr, args[0][1:]) {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	if err := os.Truncate(filepath.Join(out, "checkpoint"), 100); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := start(t, data, "-resume", "-out", out); code != cli.Failed || !strings.Contains(stderr, "checkpoint") {
		t.Errorf("damaged checkpoint: exit code %d: %s", code, stderr)
	}
	if err := os.WriteFile(filepath.Join(out, runlog.EpochsCSV), []byte(fmt.Sprintln("epoch,step")+"2,1,1,1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readHistory(out); err == nil {
		t.Error("a log without the first epoch is accepted")
	}
}
