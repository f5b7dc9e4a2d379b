package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// The goals are those of the time with libraries, and to be faster than the others.
func TestSummaryAlone(t *testing.T) {
	ours, torch, own, slow, fast := fake(2), fake(4), fake(3), fake(9), fake(2)
	own.name, slow.name, fast.name = aloneName, "slow", "fast"
	r := result{comparison{net: "net", goal: goal{time: 1, alone: 1.5}}, []*side{ours, torch}, []*side{own, slow, fast}}
	none := result{comparison{net: "none"}, []*side{fake(1), fake(1)}, nil}
	for _, r := range []result{r, none} {
		if err := measureInTurn(context.Background(), 1, r.all(), ignore); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := summaryAlone(&out, []result{none, r}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines in %q", len(lines), out.String())
	}
	if got, want := strings.Join(strings.Fields(lines[1]), " "), "net 1.50 1.50 met 1.50 1.00 missed fast"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if out.Reset(); summary(&out, []result{r}) != nil || !strings.Contains(out.String(), "0.50") {
		t.Errorf("PyTorch's ratio is not that of its own side in %q", out.String())
	}
}

// Losses are compared from the same weights only.
func TestMeasureSkipsLossesFromOwnWeights(t *testing.T) {
	a, b := fake(1), fake(1)
	b.ownWeights = true
	run := a.run
	a.run = func(ctx context.Context) (measurement, error) {
		m, err := run(ctx)
		m.Losses = []float64{9}
		return m, err
	}
	if err := measureInTurn(context.Background(), 1, []*side{a, b}, ignore); err != nil {
		t.Error(err)
	}
}

// The first array is the batch, the weights come in the order of the layers.
func TestBatchTask(t *testing.T) {
	path, err := writeBatchTask(t.TempDir(), mlpNet, settings{batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	all, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, a := range all {
		found = append(found, fmt.Sprint(a.Value.Shape()))
	}
	if got, want := strings.Join(found, " "), "(2, 784) (2) (785, 1000) (1001, 1000) (1001, 10)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOthersNeedTheSource(t *testing.T) {
	if folder, err := findOthers(context.Background()); err != nil || filepath.Base(folder) != "others" {
		t.Errorf("folder %q, error %v", folder, err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module elsewhere\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	code, stdout, stderr := run("-others", "-only", "mlp", "-python", "no-such-python")
	if code != 1 || !strings.Contains(stdout, "without PyTorch") || !strings.Contains(stderr, "-others needs the source") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
