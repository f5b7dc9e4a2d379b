package blas

import (
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas/gonum"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// TestDescribeNamesVersion looks for the library, a version and, where bits depend
// on it, the number of cores.
func TestDescribeNamesVersion(t *testing.T) {
	name, err := Use()
	if err != nil {
		t.Fatal(err)
	}
	got := Describe()
	t.Log(got)
	if library, large, _ := strings.Cut(name, ", "); !strings.HasPrefix(got, library) || !strings.HasSuffix(got, large) {
		t.Errorf("%q has not %q", got, name)
	}
	f := system(t)
	if f.version == "" || !strings.ContainsAny(f.version, "0123456789") {
		t.Errorf("the library's version is %q", f.version)
	}
	f.split = false
	for c, cores := range map[choice]bool{
		{impl: f, library: "x"}:                      true,
		{impl: gonum.Implementation{}, library: "g"}: false,
		ownProducts(nil):                             false,
	} {
		if s := c.describe(); strings.Contains(s, " cores") != cores {
			t.Errorf("described as %q", s)
		}
	}
}

// TestLibraryKeepsOneIdle is dnn's.
func TestLibraryKeepsOneIdle(t *testing.T) {
	system(t)
	if n, cores := runtime.GOMAXPROCS(0), par.Cores(); n <= cores {
		t.Errorf("GOMAXPROCS is %d, loops run on %d cores", n, cores)
	}
}
