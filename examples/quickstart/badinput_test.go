package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/exampletest"
)

// program is quickstart with results in out.
func program(out string) exampletest.Program {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return cli.Exit(run(ctx, slices.Concat([]string{"-out", out}, args), stdout, stderr), stderr)
	}
}

// TestBadFlags has an earlier result in the folder, which must stay as it is.
func TestBadFlags(t *testing.T) {
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "summary.csv"), []byte("earlier"), 0o666); err != nil {
		t.Fatal(err)
	}
	const huge = "99999999999999999999"
	exampletest.Refuse(t, program(out), out, append(slices.Concat(
		exampletest.Flag("steps", "0", "-1", "x", "1e3", huge, "9223372036854775807", "1000000000000"),
		exampletest.Flag("batch", "0", "-1", "x", huge, "1438", "1000000000000"),
		exampletest.Flag("rate", "0", "-1", "NaN", "Inf", "-Inf", "1e300", "1e999", "x", ""),
		exampletest.Flag("seed", "-1", "x", huge),
		exampletest.Flag("precision", "", "float8", "float64"),
		exampletest.Flag("log", "nosuch", "tensorboard,nosuch"),
		exampletest.Flag("out", ""),
	),
		exampletest.BadInput{Args: []string{"word"}, Code: cli.Usage, Says: []string{`"word"`}},
		exampletest.BadInput{Args: []string{"-nosuch"}, Code: cli.Usage, Says: []string{"-nosuch"}},
		exampletest.BadInput{Args: []string{"-steps"}, Code: cli.Usage, Says: []string{"-steps"}},
	))
}

// TestBadFolders has results that cannot be written.
func TestBadFolders(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{file, filepath.Join(file, "below"), filepath.Join(base, "a\x00b")} {
		exampletest.Refuse(t, program(out), base, []exampletest.BadInput{{Args: []string{"-steps", "1"}, Code: cli.Failed, Says: []string{base}}})
	}
}
