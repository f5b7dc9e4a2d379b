package trainers

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// allocated is the memory that f allocates, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A file that is no weights is refused by its first bytes: a terabyte of zeros is
// behind them.
func TestHugeWeightsAreRefusedUnread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("no sparse files: %v", err)
	}
	var err error
	if n := allocated(func() { _, err = checkpoint.ReadWeights(path) }); n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
	if !errors.Is(err, ErrCorruptSafetensors) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

// Evaluating in batches of ever other lengths keeps a few graphs, those last used.
func TestEvaluateKeepsFewGraphs(t *testing.T) {
	tr := toyTrainer(t, SGD(0.1), Graphs(4))
	data := toyData(t, tensor.Float32)
	want, err := tr.Evaluate(data, data.Len())
	if err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= data.Len(); size++ {
		got, err := tr.Evaluate(data, size)
		if err != nil {
			t.Fatal(err)
		}
		if d := got.Loss - want.Loss; got.Accuracy != want.Accuracy || !(d*d < 1e-10) {
			t.Errorf("in batches of %d: %+v, want %+v", size, got, want)
		}
		if n := tr.evals.Len(); n > 4 {
			t.Fatalf("%d graphs", n)
		}
	}
	// The same lengths again need no new graphs.
	before := make(map[int]*graph.Evaluation)
	for _, rows := range []int{2, 59, 1, 60} {
		g, ok := tr.evals.Find(rowsOf(data, 0, rows), nil)
		if before[rows] = g; !ok {
			t.Errorf("no graph for %d rows", rows)
		}
	}
	if _, err := tr.Evaluate(data, 59); err != nil {
		t.Fatal(err)
	}
	for rows, g := range before {
		if again, ok := tr.evals.Find(rowsOf(data, 0, rows), nil); !ok || again != g {
			t.Errorf("a new graph for %d rows", rows)
		}
	}
}
