package torch_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

// A graph of the user's own takes nn.Linear's weights into its matrix and its row of biases.
func TestSolver(t *testing.T) {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(3, 2), gorgonia.WithName("w"), gorgonia.WithInit(gorgonia.Zeroes()))
	b := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(1, 2), gorgonia.WithName("b"), gorgonia.WithInit(gorgonia.Zeroes()))
	cost := must(gorgonia.Mean(must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))))
	if _, err := gorgonia.Grad(cost, w, b); err != nil {
		t.Fatal(err)
	}
	solver, err := trainers.Wrap(graph.Problem{Cost: cost, Params: gorgonia.Nodes{w, b}}, trainers.SGD(0.1), trainers.EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, back := filepath.Join(dir, "linear.safetensors"), filepath.Join(dir, "back.safetensors")
	file := []checkpoint.NamedTensor{{Name: "weight", Value: counted[float32](2, 3)}, {Name: "bias", Value: dense([]float32{7, 8}, 2)}}
	if err := checkpoint.WriteSafetensors(path, file); err != nil {
		t.Fatal(err)
	}
	m := torch.Map{"w": {Weight: "weight"}, "b": {Weight: "bias", Vector: true}}
	if err := solver.LoadTorch(path, torch.Map{"w": {Weight: "weight"}, "b": {Weight: "bias"}}); err == nil || !strings.Contains(err.Error(), `"bias" has shape (2)`) {
		t.Errorf("a row without Vector: %v", err)
	}
	if err := solver.LoadTorch(path, m); err != nil {
		t.Fatal(err)
	}
	if got := w.Value().Data().([]float32); !slices.Equal(got, []float32{0, 3, 1, 4, 2, 5}) {
		t.Errorf("w is %v", got)
	}
	if got := b.Value().Data().([]float32); !slices.Equal(got, []float32{7, 8}) {
		t.Errorf("b is %v", got)
	}
	if err := solver.SaveTorch(back, m); err != nil {
		t.Fatal(err)
	}
	sameTensors(t, "back", stored(t, back), stored(t, path))
}
