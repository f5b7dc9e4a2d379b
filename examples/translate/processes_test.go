package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// dataEnv is the folder of the data of a process that is the program.
const dataEnv = "APO_TEST_TRANSLATE_DATA"

func TestMain(m *testing.M) {
	if exampletest.IsProcess() {
		os.Exit(cli.RunTogether(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			return run(ctx, args, strings.NewReader(""), stdout, stderr, sourceOf(os.Getenv(dataEnv))...)
		}))
	}
	os.Exit(m.Run())
}

// sourceOf keeps the loader off the network and the user's files.
func sourceOf(data string) []datasets.Option {
	return []datasets.Option{
		datasets.WithDir(data), datasets.WithCacheDir(filepath.Join(data, "cache")), datasets.WithoutDownload(), datasets.WithoutChecksum(),
	}
}

// TestProcesses runs the program in two processes, which divide batches and translations.
// One process goes on with what they leave.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("runs of mpirun take seconds")
	}
	launcher := exampletest.Launchers(t)[0]
	data, one, two := writeData(t), t.TempDir(), t.TempDir()
	if code, _, stderr := start(t, data, "", nil, with(small, "-out", one)...); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	p := launcher.Start(t, 2, []string{dataEnv + "=" + data}, with(small, "-epochs", "2", "-out", two)...)
	if code := p.Wait(time.Minute); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, p.Output())
	}
	for text, want := range map[string]int{"BLAS: ": 1, "BLEU": 3, "results in ": 1} {
		if n := strings.Count(p.Output(), text); n != want {
			t.Errorf("%q is printed %d times, want %d:\n%s", text, n, want, p.Output())
		}
	}
	for _, name := range []string{resultFile, bestFile, weightsFile, "bleu.png"} {
		if _, err := os.Stat(filepath.Join(two, name)); err != nil {
			t.Error(err)
		}
	}
	if code, _, stderr := start(t, data, "", nil, "-resume", "-epochs", "3", "-out", two); code != cli.OK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	exampletest.CloseSteps(t, one, two, 0.01)
}
