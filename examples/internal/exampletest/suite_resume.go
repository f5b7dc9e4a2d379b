package exampletest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// interrupt runs the program until its standard error shows the text.
func (s *Suite) interrupt(t *testing.T, data, text string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer
	err := s.App.Run(ctx, args, &stdout, Canceller{Text: text, Cancel: cancel}, sourceOf(data)...)
	if code := cli.Exit(err, &bytes.Buffer{}); code != cli.Interrupted || !strings.Contains(stdout.String(), "-resume") {
		t.Fatalf("exit code %d for %v\n%s", code, err, &stdout)
	}
}

// testResume ends runs by their context in the midst of an epoch.
func (s *Suite) testResume(t *testing.T, data string) {
	for name, args := range s.Resumed {
		t.Run(name, func(t *testing.T) {
			whole, parts := t.TempDir(), t.TempDir()
			s.MustRun(t, data, With(s.Small, With(args, "-out", whole)...)...)
			s.interrupt(t, data, "epoch 2: 4 of 6", With(s.Small, With(args, "-out", parts)...)...)
			s.MustRun(t, data, "-resume", "-out", parts)
			EqualRuns(t, whole, parts)
		})
	}
}

// testCrash has logs that are ahead of the checkpoint and end in half a line, as
// those of a killed process may.
func (s *Suite) testCrash(t *testing.T, data string) {
	whole, parts := t.TempDir(), t.TempDir()
	s.MustRun(t, data, With(s.Small, "-out", whole)...)
	s.interrupt(t, data, "epoch 2: 4 of 6", With(s.Small, "-out", parts)...)
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
	s.MustRun(t, data, "-resume", "-out", parts)
	EqualRuns(t, whole, parts)
}

// testKilledInEvaluation has an epoch that was saved and not yet evaluated, and a
// line of the log that is not whole.
func (s *Suite) testKilledInEvaluation(t *testing.T, data string) {
	whole, parts := t.TempDir(), t.TempDir()
	args := With(s.Small, s.Extendable...)
	s.MustRun(t, data, With(args, "-out", whole)...)
	s.MustRun(t, data, With(args, "-epochs", "2", "-out", parts)...)
	path := filepath.Join(parts, runlog.EpochsCSV)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	Write(t, path, lines[0]+lines[1]+lines[2][:7])
	s.MustRun(t, data, "-resume", "-epochs", "3", "-out", parts)
	EqualRuns(t, whole, parts)
}

// testOlderRun has a run that was started without -lr when the default was another
// one: it goes on at the rate of its checkpoint.
func (s *Suite) testOlderRun(t *testing.T, data string) {
	whole, parts := t.TempDir(), t.TempDir()
	args := With(s.Small, With(s.Extendable, "-"+s.App.OptimizerFlag, "sgd", "-lr", "0.0625")...)
	s.MustRun(t, data, With(args, "-out", whole)...)
	s.MustRun(t, data, With(args, "-epochs", "1", "-out", parts)...)
	path := filepath.Join(parts, runlog.SettingsJSON)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]any
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	if settings["lr"] != 0.0625 {
		t.Fatalf("the rate in the settings is %v", settings["lr"])
	}
	delete(settings, "lr")
	if err := runlog.WriteJSON(parts, runlog.SettingsJSON, settings); err != nil {
		t.Fatal(err)
	}
	s.MustRun(t, data, "-resume", "-epochs", "3", "-out", parts)
	EqualRuns(t, whole, parts)
}

func (s *Suite) testSavesWhenStopped(t *testing.T, data string) {
	if runtime.GOOS == "windows" {
		t.Skip("needs signals")
	}
	whole := t.TempDir()
	args := With(s.Small, With(s.Extendable, "-epochs", "20")...)
	s.MustRun(t, data, With(args, "-out", whole)...)
	for _, stop := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, os.Interrupt} {
		if signal.Ignored(stop) {
			t.Logf("%v is ignored here, as under nohup", stop)
			continue
		}
		parts := t.TempDir()
		SavesWhenStopped(t, stop, s.Env(data), "epoch 2: 2 of 6", With(args, "-out", parts)...)
		s.MustRun(t, data, "-resume", "-out", parts)
		EqualRuns(t, whole, parts)
	}
}

// testNothingInPlace has a run that goes on: it writes nothing in place but its logs,
// and links stay links.
func (s *Suite) testNothingInPlace(t *testing.T, data string) {
	out, elsewhere := t.TempDir(), t.TempDir()
	s.MustRun(t, data, With(s.Small, With(s.Extendable, "-epochs", "1", "-out", out)...)...)
	check := Hold(t, out, runlog.StepsJSONL, runlog.StepsCSV, runlog.EpochsCSV)
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
	s.MustRun(t, data, "-resume", "-epochs", "2", "-out", out)
	check()
	if to, err := os.Readlink(link); err != nil || to != moved {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	if after, err := os.ReadFile(moved); err != nil || bytes.Equal(before, after) {
		t.Errorf("the checkpoint behind the link is the old one: %v", err)
	}
}

// testStartAndLock kills a run as soon as it can be resumed, and starts others in its
// folder.
func (s *Suite) testStartAndLock(t *testing.T, data string) {
	whole, out := t.TempDir(), t.TempDir()
	s.MustRun(t, data, With(s.Small, "-out", whole)...)
	s.killEarly(t, data, out)
	Write(t, filepath.Join(out, "checkpoint.tmp-1"), "")
	unlock, err := cli.LockOut(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-resume"}, s.Small} {
		if code, _, stderr := s.Start(t, data, With(args, "-out", out)...); code != cli.Failed || !strings.Contains(stderr, "locked by another run") {
			t.Errorf("%v beside another run: exit code %d: %s", args, code, stderr)
		}
	}
	unlock()
	s.MustRun(t, data, "-resume", "-out", out)
	EqualRuns(t, whole, out)
	for _, pattern := range []string{"*.tmp-*", ".lock"} {
		if left, _ := filepath.Glob(filepath.Join(out, pattern)); left != nil {
			t.Errorf("left %v", left)
		}
	}
}

// killEarly kills the program when it has written its settings. On a busy machine a run may
// save steps before: then another one is started.
func (s *Suite) killEarly(t *testing.T, data, out string) {
	t.Helper()
	for range 20 {
		child := exec.Command(os.Args[0], With(s.Small, "-out", out)...)
		child.Env = append(os.Environ(), s.Env(data))
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(100 * time.Microsecond) {
			if _, err := os.Stat(filepath.Join(out, runlog.SettingsJSON)); err == nil {
				break
			}
		}
		killed := child.Process.Kill()
		_ = child.Wait()
		if killed == nil && !saved(out) {
			return
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("all runs saved steps before they were killed")
}

// saved reports whether a run has saved steps: its log is written then.
func saved(out string) bool {
	info, err := os.Stat(filepath.Join(out, runlog.StepsJSONL))
	return err == nil && info.Size() > 0
}

func (s *Suite) testExtend(t *testing.T, data string) {
	whole, parts := t.TempDir(), t.TempDir()
	args := With(s.Small, s.Extendable...)
	s.MustRun(t, data, With(args, "-out", whole)...)
	s.MustRun(t, data, With(args, "-epochs", "1", "-out", parts)...)
	s.MustRun(t, data, "-resume", "-epochs", "3", "-out", parts)
	EqualRuns(t, whole, parts)
}

func (s *Suite) testResumeRefuses(t *testing.T, data string) {
	out := t.TempDir()
	s.MustRun(t, data, With(s.Small, "-epochs", "1", "-schedule", "cosine", "-out", out)...)
	for _, args := range append([][]string{{"-lr", "0.5"}, {"-batch", "20"}, {"-" + s.App.OptimizerFlag, "adam"}, {"-epochs", "2"}}, s.Fixed...) {
		code, _, stderr := s.Start(t, data, With(args, "-resume", "-out", out)...)
		if code != cli.Usage || !strings.Contains(stderr, args[0][1:]) {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	if err := os.Truncate(filepath.Join(out, "checkpoint"), 100); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := s.Start(t, data, "-resume", "-out", out); code != cli.Failed || !strings.Contains(stderr, "checkpoint") {
		t.Errorf("damaged checkpoint: exit code %d: %s", code, stderr)
	}
}
