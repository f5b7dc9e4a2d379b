package peers

import (
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// Adam has both ways of PyTorch, and both sides train by it.
func TestComparisonByAdam(t *testing.T) {
	var names []string
	for _, w := range ways("lenet", []int{2}, settings{rule: byAdam}) {
		names = append(names, w.name())
	}
	if want := []string{"PyTorch-2", "PyTorch-2-kept", "PyTorch-2-kept-last", "PyTorch-2-foreach", "PyTorch-2-kept-foreach", "PyTorch-2-kept-last-foreach"}; !slices.Equal(names, want) {
		t.Errorf("ways %q, want %q", names, want)
	}
	code, stdout, stderr := run("-ours", "mlp", "-batch", "2", "-steps", "1", "-warmup", "0", "-optimizer", "adam")
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	task, err := taskOf(mlpNet, settings{batch: 2, rule: byAdam})
	if err != nil || task.optimizer.Name() != byAdam {
		t.Errorf("%v, trains by %v", err, task.optimizer)
	}
	python := python.With(t.Context(), "torch")
	if testing.Short() || python == "" {
		t.Skip("PyTorch not found, or short mode: importing it takes seconds")
	}
	m, err := torchProcess(python, mlpNet, way{threads: 1, foreach: true, precision: inSingle}, settings{batch: 2, steps: 1, rule: byAdam})(t.Context())
	if err != nil || m.Min <= 0 {
		t.Errorf("PyTorch: %v, measured %+v", err, m)
	}
}
