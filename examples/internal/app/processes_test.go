package app_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// toy trains a small net on the digits. The data of one rank can go bad.
type toy struct{ app.Settings }

func (s *toy) SetDefaults()                  { *s = toy{app.Defaults("digits")} }
func (s *toy) Flags(*flag.FlagSet)           {}
func (s *toy) Check() error                  { return nil }
func (s *toy) Model() (*layers.Model, error) { return layers.MLP(64, 16, 10), nil }
func (s *toy) Title() string                 { return "toy" }

func (s *toy) Options(int, trainers.Dataset) ([]trainers.Option, error) { return s.MetaOptions(), nil }

func (s *toy) Load(_ context.Context, dtype tensor.Dtype, _ ...datasets.Option) (train, test trainers.Dataset, err error) {
	a, b, err := datasets.Digits(dtype)
	return &slow{Dataset: a}, b, err
}

// badEnv is a rank or "all", a step and the pixel that the batch of that step has there;
// slowEnv is the time that each batch takes.
const badEnv, slowEnv = "APO_TEST_BAD_PIXEL", "APO_TEST_BATCH_TIME"

// slow are data that come slowly.
type slow struct {
	trainers.Dataset
	filled atomic.Int64
}

func (d *slow) Fill(b graph.Batch, rows []int, draw batch.Draw) {
	d.Dataset.Fill(b, rows, draw)
	if takes, err := time.ParseDuration(os.Getenv(slowEnv)); err == nil {
		time.Sleep(takes)
	}
	var rank string
	var step int64
	var pixel float64
	filled := d.filled.Add(1)
	if n, _ := fmt.Sscan(os.Getenv(badEnv), &rank, &step, &pixel); n == 3 && (rank == "all" || rank == exampletest.Rank()) && filled == step+1 {
		b.X[0].Float32s()[0] = float32(pixel)
	}
}

var program = &app.App{
	Name: "toy", About: "Toy.", New: func() app.Program { return new(toy) }, Data: []string{"digits"}, Images: 1437, EvaluationBatch: 90, OptimizerFlag: "optimizer",
}

func TestMain(m *testing.M) {
	if exampletest.IsProcess() {
		os.Exit(cli.RunTogether(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			return program.Run(ctx, args, stdout, stderr)
		}))
	}
	os.Exit(m.Run())
}

// short is a run of six epochs of five steps.
var short = []string{"-batch", "250", "-epochs", "6", "-k", "0"}

// atOnce is how soon all processes must be gone.
const atOnce = 10 * time.Second

// resumes goes on with a run by one process.
func resumes(t *testing.T, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if err := program.Run(t.Context(), []string{"-resume", "-out", out}, &stdout, &stderr); err != nil {
		t.Errorf("the run does not go on: %v\n%s%s", err, &stdout, &stderr)
	}
}

// once fails the test where the run's output does not have one line with all the words, or
// has more with the last.
func once(t *testing.T, output string, words ...string) {
	t.Helper()
	found := 0
	for line := range strings.Lines(output) {
		if !strings.Contains(line, words[len(words)-1]) {
			continue
		}
		found++
		for _, w := range words {
			if !strings.Contains(line, w) {
				t.Errorf("%q does not say %q", line, w)
			}
		}
	}
	if found != 1 {
		t.Errorf("%q is said %d times:\n%s", words[len(words)-1], found, output)
	}
}

// TestFailures lets one of several processes fail.
func TestFailures(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	for _, l := range exampletest.Launchers(t) {
		t.Run(l.Name, func(t *testing.T) {
			t.Run("NaN on rank 1", func(t *testing.T) { nan(t, l, "1") })
			t.Run("NaN on all", func(t *testing.T) { nan(t, l, "all") })
			t.Run("other data", func(t *testing.T) {
				fails(t, l, []string{badEnv + "=1 0 0.5"}, cli.Failed, []string{"ranks [1]", "the mini-batch"}, exampletest.With(short, "-out", t.TempDir())...)
			})
			t.Run("full disk", func(t *testing.T) { fullDisk(t, l) })
			t.Run("bad folder", func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "file")
				exampletest.Write(t, file, "x")
				fails(t, l, nil, cli.Failed, []string{"rank 0", "-out", file}, exampletest.With(short, "-out", filepath.Join(file, "below"))...)
			})
			t.Run("usage", func(t *testing.T) {
				fails(t, l, nil, cli.Usage, []string{"-optimizer", "nosuch"}, "-optimizer", "nosuch")
			})
		})
	}
}

// fails is a run that ends at once with a message.
func fails(t *testing.T, l exampletest.Launcher, env []string, code int, says []string, args ...string) {
	t.Helper()
	p := l.Start(t, 2, env, args...)
	if got := p.Wait(atOnce); got != code {
		t.Errorf("exit code %d, want %d\n%s", got, code, p.Output())
	}
	once(t, p.Output(), says...)
}

// nan has the data of one rank or of all go bad in the third epoch.
func nan(t *testing.T, l exampletest.Launcher, rank string) {
	out := t.TempDir()
	p := l.Start(t, 2, []string{badEnv + "=" + rank + " 12 NaN"}, exampletest.With(short, "-out", out)...)
	p.Await("epoch 2 of 6")
	if code := p.Wait(atOnce); code == cli.OK {
		t.Error("exit code 0")
	}
	if rank == "all" {
		rank = "0" // says it for all
	}
	once(t, p.Output(), "rank "+rank, "step 12", "holds NaN")
	resumes(t, out)
}

// fullDisk leaves no space for a checkpoint of rank 0.
func fullDisk(t *testing.T, l exampletest.Launcher) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("there is no " + full)
	}
	out, elsewhere := t.TempDir(), t.TempDir()
	path, kept := filepath.Join(out, "checkpoint"), filepath.Join(elsewhere, "kept")
	p := l.Start(t, 2, []string{slowEnv + "=20ms"}, exampletest.With(short, "-epochs", "100", "-out", out)...)
	p.Await("epoch 2 of")
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(full, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, kept); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link, path); err != nil {
		t.Fatal(err)
	}
	if code := p.Wait(atOnce); code != cli.Failed {
		t.Errorf("exit code %d\n%s", code, p.Output())
	}
	once(t, p.Output(), "rank 0", "checkpoint at step ", "no space left")
	if err := os.Rename(kept, path); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	if err := program.Run(t.Context(), []string{"-resume", "-epochs", "8", "-out", out}, &stdout, &stdout); err != nil {
		t.Errorf("the run does not go on: %v\n%s", err, &stdout)
	}
}

// TestStops sends signals to the launcher, to one of two processes, and twice to both, as
// where a batch system sends them and the launcher too. All stop after the
// same step and save, and the run that goes on is the one that was never stopped.
func TestStops(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs signals")
	}
	for _, l := range exampletest.Launchers(t) {
		whole := t.TempDir()
		if p := l.Start(t, 2, nil, exampletest.With(short, "-out", whole)...); p.Wait(3*time.Minute) != cli.OK {
			t.Fatalf("%s:\n%s", l.Name, p.Output())
		}
		for _, s := range []struct {
			name   string
			ranks  []int
			signal syscall.Signal
		}{{"SIGTERM to mpirun", []int{-1}, syscall.SIGTERM}, {"SIGINT to rank 1", []int{1}, syscall.SIGINT}, {"SIGTERM to all", []int{0, 1, 0, 1}, syscall.SIGTERM}} {
			t.Run(l.Name+", "+s.name, func(t *testing.T) {
				if signal.Ignored(s.signal) {
					t.Skip("the signal is ignored here, as under nohup")
				}
				out := t.TempDir()
				p := l.Start(t, 2, []string{slowEnv + "=150ms"}, exampletest.With(short, "-out", out)...)
				p.Await("epoch 2: ")
				for _, r := range s.ranks {
					p.Signal(r, s.signal)
				}
				// A launcher that gets the signal has an exit code of its own; that of
				// MPICH gives 0 at times where the processes do not.
				byLauncher := s.ranks[0] < 0
				anyCode := byLauncher && l.Name == "MPICH"
				if code := p.Wait(atOnce); code != cli.Interrupted && !byLauncher || code == cli.OK && !anyCode {
					t.Errorf("exit code %d\n%s", code, p.Output())
				}
				once(t, p.Output(), "interrupted") // mpirun may not pass standard output on any more
				if !byLauncher {
					once(t, p.Output(), "-resume", "stopped after")
				}
				p = l.Start(t, 2, nil, "-resume", "-out", out)
				if code := p.Wait(3 * time.Minute); code != cli.OK {
					t.Fatalf("exit code %d\n%s", code, p.Output())
				}
				exampletest.EqualRuns(t, whole, out)
			})
		}
	}
}
