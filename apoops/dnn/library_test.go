package dnn

import (
	"runtime"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// TestLibraryKeepsOneIdle: calls that take long lose nothing where the runtime has one
// more processor (P) than loops use.
func TestLibraryKeepsOneIdle(t *testing.T) {
	if _, err := Library(); err != nil {
		t.Skip(err)
	}
	if n, cores := runtime.GOMAXPROCS(0), par.Cores(); n <= cores {
		t.Errorf("GOMAXPROCS is %d, loops run on %d cores", n, cores)
	}
}
