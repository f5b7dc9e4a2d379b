package trainers

import (
	"os"
	"os/exec"
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// choiceEnv is the choice of a library that the process of
// TestWithUnknownLibrary has to refuse.
const choiceEnv = "APO_TEST_UNKNOWN_LIBRARY"

// TestUnknownLibraryIsAnError starts processes with values that name no library, or no
// vector instructions.
func TestUnknownLibraryIsAnError(t *testing.T) {
	for _, choice := range []string{
		blas.Env + "=banana", blas.Env + "=/nowhere/libnone.so",
		dnn.Env + "=banana", dnn.Env + "=/nowhere/libnone.so", dnn.Env + "=" + os.Args[0],
		"APO_SIMD=banana",
	} {
		child := exec.Command(os.Args[0], "-test.run=^TestWithUnknownLibrary$")
		child.Env = append(os.Environ(), choiceEnv+"="+choice, choice)
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", choice, err, out)
		}
	}
}

// TestWithUnknownLibrary is what the processes run.
func TestWithUnknownLibrary(t *testing.T) {
	choice := os.Getenv(choiceEnv)
	if choice == "" {
		t.Skip("runs in a process of its own")
	}
	_, err := New(layers.MLP(2, 2), graph.SoftmaxCrossEntropy, SGD(0.1))
	wantError(t, "New", err, "trainers: ", choice)
	x := gorgonia.NewMatrix(gorgonia.NewGraph(), gorgonia.Float64, gorgonia.WithShape(2, 2))
	_, err = Wrap(graph.Problem{Cost: x, Output: x}, SGD(0.1))
	wantError(t, "Wrap", err, "trainers: ", choice)
	_, err = FromProblem(graph.Problem{Cost: x, Output: x}, SGD(0.1))
	wantError(t, "FromProblem", err, "trainers: ", choice)
}
