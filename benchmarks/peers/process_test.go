package peers

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// A script's OpenBLAS is told the kind of processor that ours works for, and no other.
func TestScriptsWorkForTheSameProcessor(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	interpreter := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(interpreter, []byte("#!/bin/sh\necho \"\\\"OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE $OTHER\\\"\"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := runScriptWith(t.Context(), []string{"OTHER=set"}, &got, interpreter, "torch_step.py"); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(blas.Environment(), []string{"OPENBLAS_CORETYPE=" + os.Getenv("OPENBLAS_CORETYPE")})[0] + " set"
	if got != want {
		t.Errorf("the script has %s, want %s", got, want)
	}
}
