package python_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/python"
)

func ExampleFirst() {
	fmt.Printf("%q\n", python.First(context.Background(), []string{"no-such-python"}, "torch"))
	// Output: ""
}

func ExampleWith() {
	interpreter := python.With(context.Background(), "torch")
	if interpreter == "" {
		fmt.Println("no PyTorch for any of", python.Interpreters())
		return
	}
	version, err := exec.Command(interpreter, "-c", "import torch; print(torch.__version__)").Output()
	fmt.Println(string(version), err)
}

// TestWith finds modules without importing them: one of the test writes a file when it is
// imported.
func TestWith(t *testing.T) {
	found := python.With(t.Context(), "json")
	if found == "" {
		t.Skip("no python3 on this machine")
	}
	folder := t.TempDir()
	imported := filepath.Join(folder, "imported")
	module := fmt.Sprintf("open(%q, 'w')", imported)
	if err := os.WriteFile(filepath.Join(folder, "apo_test_module.py"), []byte(module), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PYTHONPATH", folder)
	if got := python.With(t.Context(), "json", "apo_test_module"); got != found {
		t.Errorf("%q has both modules, want %q", got, found)
	}
	if _, err := os.Stat(imported); err == nil {
		t.Error("the module was imported")
	}
	if out, err := exec.Command(found, "-c", "import apo_test_module").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(imported); err != nil {
		t.Errorf("an import shows nothing: %v", err)
	}
	if got := python.With(t.Context(), "json", "apo_no_such_module"); got != "" {
		t.Errorf("%q has a module that is nowhere", got)
	}
	if got := python.First(t.Context(), []string{"no-such-python", found}, "json"); got != found {
		t.Errorf("%q is the first, want %q", got, found)
	}
	if all := strings.Join(python.Interpreters(), " "); !strings.Contains(all, found) {
		t.Errorf("%q is none of %s", found, all)
	}
}
