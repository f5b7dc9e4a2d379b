package main

import (
	"bytes"
	"context"
	"io"
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
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// childEnv names the folder of the data in the environment of a process that is
// the program.
const childEnv = "APO_TEST_MNIST_DATA"

func TestMain(m *testing.M) {
	if data := os.Getenv(childEnv); data != "" {
		os.Exit(cli.Run(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			return run(ctx, args, stdout, stderr, datasets.WithDir(data), datasets.WithCacheDir(data), datasets.WithoutDownload(), datasets.WithoutChecksum())
		}))
	}
	os.Exit(m.Run())
}

// interrupt runs the program until stderr shows the text.
func interrupt(t *testing.T, source []datasets.Option, text string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer
	err := run(ctx, args, &stdout, exampletest.Canceller{Text: text, Cancel: cancel}, source...)
	if code := cli.Exit(err, &bytes.Buffer{}); code != cli.Interrupted || !strings.Contains(stdout.String(), "-resume") {
		t.Fatalf("exit code %d for %v\n%s", code, err, &stdout)
	}
}

func mustRun(t *testing.T, source []datasets.Option, args ...string) {
	t.Helper()
	if code, _, stderr := start(t, source, args...); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
}

// equalRuns compares the files of two runs, all but the times.
func equalRuns(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"weights.safetensors", runlog.EpochsCSV} {
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
	logX, err := runlog.ReadSteps(a)
	if err != nil {
		t.Fatal(err)
	}
	logY, err := runlog.ReadSteps(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range logX {
		if logX[i].Step != i || logY[i].Step != i || logX[i].Loss != logY[i].Loss {
			t.Fatalf("line %d of steps.jsonl: %+v and %+v", i, logX[i], logY[i])
		}
	}
}

func TestResume(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	for name, args := range map[string][]string{
		"sgdm":    {"-k", "4", "-lr", "0.1"},
		"adam":    {"-optimizer", "adam", "-per-layer", "-schedule", "cosine", "-settings", `{"beta2": 0.9}`},
		"precond": {"-optimizer", "precond", "-k", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			whole, parts := t.TempDir(), t.TempDir()
			mustRun(t, source, with(small, append(args, "-out", whole)...)...)
			interrupt(t, source, "epoch 2: 4 of 6", with(small, append(args, "-out", parts)...)...)
			mustRun(t, source, "-resume", "-out", parts)
			equalRuns(t, whole, parts)
		})
	}
}

// TestResumeAfterCrash has logs that are ahead of the checkpoint and end in
// half a line, as those of a killed process may.
func TestResumeAfterCrash(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	whole, parts := t.TempDir(), t.TempDir()
	mustRun(t, source, with(small, "-out", whole)...)
	interrupt(t, source, "epoch 2: 4 of 6", with(small, "-out", parts)...)
	for name, text := range map[string]string{
		runlog.StepsJSONL: "{\"step\":10,\"loss\":1}\n{\"step\":11,\"lo",
		runlog.StepsCSV:   "10,1,0.1,,,,,,,,,,,,0.1,0\n11,0.",
		runlog.EpochsCSV:  "2,12,0.5,0.5\n3,",
	} {
		f, err := os.OpenFile(filepath.Join(parts, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, source, "-resume", "-out", parts)
	equalRuns(t, whole, parts)
}

func TestSavesWhenStopped(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs signals")
	}
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	whole := t.TempDir()
	args := with(small, "-epochs", "20")
	mustRun(t, source, with(args, "-out", whole)...)
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, os.Interrupt} {
		parts := t.TempDir()
		exampletest.SavesWhenStopped(t, s, childEnv+"="+data, "epoch 2: 2 of 6", with(args, "-out", parts)...)
		mustRun(t, source, "-resume", "-out", parts)
		equalRuns(t, whole, parts)
	}
}

// A run that goes on writes nothing in place but its logs; links stay links.
func TestNothingIsWrittenInPlace(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	out, elsewhere := t.TempDir(), t.TempDir()
	mustRun(t, source, with(small, "-epochs", "1", "-out", out)...)
	check := exampletest.Hold(t, out, runlog.StepsJSONL, runlog.StepsCSV, runlog.EpochsCSV)
	moved, link := filepath.Join(elsewhere, "checkpoint"), filepath.Join(out, "checkpoint")
	if err := os.Rename(link, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(moved, link); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	before, err := os.ReadFile(moved)
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, source, "-resume", "-epochs", "2", "-out", out)
	check()
	if to, err := os.Readlink(link); err != nil || to != moved {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	if after, err := os.ReadFile(moved); err != nil || bytes.Equal(before, after) {
		t.Errorf("the checkpoint behind the link is the old one: %v", err)
	}
}

// Whatever comes first is enough to go on from, and a run is alone in its folder.
func TestStartAndLock(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	whole, out := t.TempDir(), t.TempDir()
	mustRun(t, source, with(small, "-out", whole)...)
	child := exec.Command(os.Args[0], with(small, "-out", out)...)
	child.Env = append(os.Environ(), childEnv+"="+data)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(100 * time.Microsecond) {
		if _, err := os.Stat(filepath.Join(out, runlog.SettingsJSON)); err == nil {
			break
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if err := os.WriteFile(filepath.Join(out, "checkpoint.tmp-1"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	unlock, err := cli.LockOut(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-resume"}, small} {
		if code, _, stderr := start(t, source, with(args, "-out", out)...); code != cli.Failed || !strings.Contains(stderr, "locked by another run") {
			t.Errorf("%v beside another run: exit code %d: %s", args, code, stderr)
		}
	}
	unlock()
	mustRun(t, source, "-resume", "-out", out)
	equalRuns(t, whole, out)
	for _, pattern := range []string{"*.tmp-*", ".lock"} {
		if left, _ := filepath.Glob(filepath.Join(out, pattern)); left != nil {
			t.Errorf("left %v", left)
		}
	}
}

func TestExtend(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	whole, parts := t.TempDir(), t.TempDir()
	mustRun(t, source, with(small, "-out", whole)...)
	mustRun(t, source, with(small, "-epochs", "1", "-out", parts)...)
	mustRun(t, source, "-resume", "-epochs", "3", "-out", parts)
	equalRuns(t, whole, parts)
}

func TestResumeRefuses(t *testing.T) {
	data := t.TempDir()
	writeData(t, data)
	source := sourceOf(t, data)
	out := t.TempDir()
	mustRun(t, source, with(small, "-epochs", "1", "-schedule", "cosine", "-out", out)...)
	for _, args := range [][]string{{"-lr", "0.5"}, {"-batch", "20"}, {"-hidden", "9"}, {"-optimizer", "adam"}, {"-epochs", "2"}} {
		code, _, stderr := start(t, source, with(args, "-resume", "-out", out)...)
		if code != cli.Usage || !strings.Contains(stderr, args[0][1:]) {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	if err := os.Truncate(filepath.Join(out, "checkpoint"), 100); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := start(t, source, "-resume", "-out", out); code != cli.Failed || !strings.Contains(stderr, "checkpoint") {
		t.Errorf("damaged checkpoint: exit code %d: %s", code, stderr)
	}
}
