package trainers

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
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
	if n := allocated(func() { _, err = readWeights(path) }); n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
	if !errors.Is(err, ErrCorruptSafetensors) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

// Evaluating in batches of ever other lengths keeps a few graphs, those last used.
func TestEvaluateKeepsFewGraphs(t *testing.T) {
	tr := toyTrainer(t, SGD(0.1))
	data := toyData(t, tensor.Float32)
	want, err := tr.Evaluate(data, data.Len())
	if err != nil {
		t.Fatal(err)
	}
	kept := func() (rows []int) {
		for _, e := range tr.evals {
			rows = append(rows, e.rows)
		}
		return rows
	}
	for size := 1; size <= data.Len(); size++ {
		got, err := tr.Evaluate(data, size)
		if err != nil {
			t.Fatal(err)
		}
		if d := got.Loss - want.Loss; got.Accuracy != want.Accuracy || !(d*d < 1e-10) {
			t.Errorf("in batches of %d: %+v, want %+v", size, got, want)
		}
		if len(tr.evals) > evalGraphs {
			t.Fatalf("%d graphs", len(tr.evals))
		}
	}
	if got := fmt.Sprint(kept()); got != "[60 1 59 2]" {
		t.Errorf("graphs for %s rows", got)
	}
	// The same lengths again need no new graphs.
	before := slices.Clone(tr.evals)
	if _, err := tr.Evaluate(data, 59); err != nil {
		t.Fatal(err)
	}
	for _, e := range tr.evals {
		if !slices.Contains(before, e) {
			t.Errorf("a new graph for %d rows", e.rows)
		}
	}
	if got := fmt.Sprint(kept()); got != "[1 59 60 2]" {
		t.Errorf("graphs for %s rows", got)
	}
}
