package exampletest

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// Suite are the tests of a program that is an app.App, on a data set of 60 training
// images that the test makes up.
type Suite struct {
	App *app.App
	// WriteData writes the data set's files.
	WriteData func(t *testing.T, dir string)
	// Damaged is one of these files.
	Damaged string
	// Small are flags for 3 epochs of 6 steps.
	Small []string
	// Extendable are flags that let a run get more epochs.
	Extendable []string
	// Runs are flags to run with, by name.
	Runs map[string]Run
	// Resumed are flags of runs that are stopped and go on, by name.
	Resumed map[string][]string
	// Bad are flags to refuse, beside those of all programs.
	Bad []BadInput
	// Help is a flag that -h must list.
	Help string
	// DamagedSettings change settings.json of a run with Small: the old text, the new
	// one, and what the message must say.
	DamagedSettings [][3]string
	// Fixed are flags that cannot change with -resume.
	Fixed [][]string
}

// Run is a run that must succeed.
type Run struct {
	Args    []string
	Picture string // that of what APO learns
	Rates   int    // learning rates in the log
	Steps   int    // in an epoch
}

// Test runs the suite.
func (s *Suite) Test(t *testing.T) {
	data := t.TempDir()
	s.WriteData(t, data)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, data string)
	}{
		{"runs", s.testRuns},
		{"default rates", s.testDefaultRates},
		{"help", s.testHelp},
		{"bad flags", s.testBadFlags},
		{"bad folders", s.testBadFolders},
		{"bad environment", s.testBadEnvironment},
		{"bad runs", s.testBadRuns},
		{"damaged data", s.testDamagedData},
		{"resume", s.testResume},
		{"resume after a crash", s.testCrash},
		{"resume in an evaluation", s.testKilledInEvaluation},
		{"resume an older run", s.testOlderRun},
		{"saves when stopped", s.testSavesWhenStopped},
		{"nothing is written in place", s.testNothingInPlace},
		{"start and lock", s.testStartAndLock},
		{"extend", s.testExtend},
		{"resume refuses", s.testResumeRefuses},
		{"find rate", s.testFindRate},
		{"dry run", s.testDryRun},
		{"further logs", s.testFurtherLogs},
		{"live", s.testLive},
		{"several processes", s.testProcesses},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, data) })
	}
}

// dataEnv names the folder of the data in the environment of a process that is the
// program.
const dataEnv = "APO_TEST_PROGRAM_DATA"

// Main is for TestMain: it lets the test binary be the program.
func (s *Suite) Main(m *testing.M) {
	if data := os.Getenv(dataEnv); data != "" {
		IsProcess()
		os.Exit(cli.RunTogether(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			return s.App.Run(ctx, args, stdout, stderr, sourceOf(data)...)
		}))
	}
	os.Exit(m.Run())
}

// Env is the environment of a process that is the program on the data of a folder.
func (s *Suite) Env(data string) string { return dataEnv + "=" + data }

// sourceOf keeps the loader off the network and the user's files.
func sourceOf(dir string) []datasets.Option {
	return []datasets.Option{
		datasets.WithDir(dir), datasets.WithCacheDir(filepath.Join(dir, "cache")), datasets.WithoutDownload(), datasets.WithoutChecksum(),
	}
}

// Start runs the program on the data of a folder and returns its exit code.
func (s *Suite) Start(t *testing.T, data string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = cli.Exit(s.App.Run(t.Context(), args, &out, &log, sourceOf(data)...), &log)
	return code, out.String(), log.String()
}

// MustRun is Start of a run that must succeed.
func (s *Suite) MustRun(t *testing.T, data string, args ...string) {
	t.Helper()
	if code, _, stderr := s.Start(t, data, args...); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
}

// program is the program with results in out.
func (s *Suite) program(out string, source ...datasets.Option) Program {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return cli.Exit(s.App.Run(ctx, With([]string{"-out", out}, args...), stdout, stderr, source...), stderr)
	}
}

// With is a copy of args with more at its end.
func With(args []string, more ...string) []string { return slices.Concat(args, more) }

// Write writes a file.
func Write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// EqualRuns compares the files of two runs, all but the times.
func EqualRuns(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"weights.safetensors", "best.safetensors", "checkpoint", "result.json", runlog.EpochsCSV} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if os.IsNotExist(err) && (name == "best.safetensors" || name == "result.json") {
			continue
		} else if err != nil {
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
	x, y := Untimed(t, filepath.Join(a, runlog.StepsCSV)), Untimed(t, filepath.Join(b, runlog.StepsCSV))
	if len(x) != len(y) {
		t.Fatalf("%d rows and %d rows in steps.csv", len(x), len(y))
	}
	for i := range x {
		if x[i] != y[i] {
			t.Fatalf("row %d of steps.csv: %v and %v", i, x[i], y[i])
		}
	}
	equalSteps(t, a, b)
}

// equalSteps compares steps and losses of steps.jsonl.
func equalSteps(t *testing.T, a, b string) {
	t.Helper()
	x, err := runlog.ReadSteps(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := runlog.ReadSteps(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if x[i].Step != i || y[i].Step != i || x[i].Loss != y[i].Loss {
			t.Fatalf("line %d of steps.jsonl: %+v and %+v", i, x[i], y[i])
		}
	}
}
