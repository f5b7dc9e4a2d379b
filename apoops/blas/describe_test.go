package blas

import (
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas/gonum"
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
	if !strings.HasPrefix(got, name) {
		t.Errorf("%q does not begin with %q", got, name)
	}
	f := system(t)
	if f.version == "" || !strings.ContainsAny(f.version, "0123456789") {
		t.Errorf("the library's version is %q", f.version)
	}
	f.split = false
	for c, cores := range map[choice]bool{
		{impl: f, name: "x"}:                      true,
		{impl: gonum.Implementation{}, name: "g"}: false,
		ownProducts(nil):                          false,
	} {
		if s := c.describe(); strings.Contains(s, " cores") != cores {
			t.Errorf("described as %q", s)
		}
	}
}
