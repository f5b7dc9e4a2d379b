package torch_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
)

var script, _ = filepath.Abs(filepath.Join("..", "..", "..", "benchmarks", "peers", "torch_weights.py"))

// losses runs the script, which prints the loss of each net.
func losses(t *testing.T, python, mode, folder string) (all map[string]float64) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(python, script, mode, folder)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", mode, err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// net is a net of the script.
type net struct {
	model   *layers.Model
	modules map[string]string
	dtype   tensor.Dtype
}

func nets() map[string]net {
	mlp := map[string]string{"dense0": "0", "dense1": "2", "dense2": "4"}
	oblong := &layers.ConvLayer{Inputs: 2, Outputs: 4, Kernel: [2]int{3, 2}, NoBias: true}
	return map[string]net{
		"lenet": {layers.LeNet(10), map[string]string{"conv0": "conv1", "conv1": "conv2", "dense2": "fc1", "dense3": "fc2", "dense4": "fc3"}, tensor.Float32},
		"mlp":   {layers.MLP(20, 16, 8, 5), mlp, tensor.Float32},
		"mlp64": {layers.MLP(20, 16, 8, 5), mlp, tensor.Float64},
		"normed": {layers.Sequential(
			oblong, layers.BatchNorm(4, apoops.ReLUAct), layers.Flatten(),
			&layers.DenseLayer{Inputs: 4 * 4 * 5, Outputs: 7, NoBias: true}, layers.LayerNorm(7), layers.Dense(7, 3, apoops.Identity),
		), map[string]string{"conv0": "0", "bn1": "1", "dense2": "4", "norm3": "5", "dense4": "6"}, tensor.Float32},
	}
}

// trainer has the net, with initial weights, and its Map.
func (n net) trainer(t *testing.T) (*trainers.Trainer, torch.Map) {
	t.Helper()
	tr, err := trainers.New(n.model, graph.SoftmaxCrossEntropy, trainers.SGDm(0.01), trainers.EveryK(0), trainers.Dtype(n.dtype))
	if err != nil {
		t.Fatal(err)
	}
	m, err := torch.Modules(tr.Params(), n.modules)
	if err != nil {
		t.Fatal(err)
	}
	return tr, m
}

// set is the set that the script wrote.
func set(t *testing.T, folder, name string) trainers.Data {
	t.Helper()
	data := stored(t, filepath.Join(folder, name+".data.safetensors"))
	return trainers.Data{X: data["x"], T: data["t"]}
}

func stored(t *testing.T, path string) map[string]*tensor.Dense {
	t.Helper()
	all, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]*tensor.Dense)
	for _, x := range all {
		m[x.Name] = x.Value
	}
	return m
}

func loss(t *testing.T, tr *trainers.Trainer, data trainers.Data) float64 {
	t.Helper()
	e, err := tr.Evaluate(data, 50)
	if err != nil {
		t.Fatal(err)
	}
	return e.Loss
}

// TestNetsGoThereAndBack trains nets in PyTorch, loads them, and has the same loss; what
// is written at once are the same tensors, bit for bit, and PyTorch has the same loss of
// what has been trained on here.
func TestNetsGoThereAndBack(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine")
	}
	folder := t.TempDir()
	theirs, ours := losses(t, python, "train", folder), make(map[string]float64)
	all := nets()
	if len(theirs) != len(all) {
		t.Fatalf("%d nets, %d of the script", len(all), len(theirs))
	}
	for name, n := range all {
		tr, m := n.trainer(t)
		data := set(t, folder, name)
		path, back := filepath.Join(folder, name+".safetensors"), filepath.Join(folder, name+".back.safetensors")
		if before := loss(t, tr, data); math.Abs(before-theirs[name]) < 0.01 {
			t.Fatalf("%s: loss %v before there are weights", name, before)
		}
		if err := tr.LoadTorch(path, m); err != nil {
			t.Fatal(err)
		}
		near(t, name+", loaded", loss(t, tr, data), theirs[name])
		if err := tr.SaveTorch(back, m); err != nil {
			t.Fatal(err)
		}
		sameTensors(t, name, stored(t, back), stored(t, path))

		for range 5 {
			if _, err := tr.Step(graph.NewBatch(data.X, data.T)); err != nil {
				t.Fatal(err)
			}
		}
		if ours[name] = loss(t, tr, data); math.Abs(ours[name]-theirs[name]) < 1e-3 {
			t.Fatalf("%s: five steps changed the loss from %v to %v", name, theirs[name], ours[name])
		}
		if err := tr.SaveTorch(back, m); err != nil {
			t.Fatal(err)
		}
	}
	for name, got := range losses(t, python, "evaluate", folder) {
		near(t, name+", back", got, ours[name])
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	t.Logf("%s: difference of the losses %.1e", what, math.Abs(got-want))
	if !(math.Abs(got-want) <= 1e-5) {
		t.Errorf("%s: loss %v, want %v", what, got, want)
	}
}

// sameTensors compares two state dicts, but for counters.
func sameTensors(t *testing.T, what string, got, want map[string]*tensor.Dense) {
	t.Helper()
	for name, w := range want {
		if strings.HasSuffix(name, "num_batches_tracked") {
			continue
		}
		g := got[name]
		if g == nil || !slices.Equal(g.Shape(), w.Shape()) || g.Dtype() != w.Dtype() {
			t.Fatalf("%s: %s is %v, want %v", what, name, g, w)
		}
		if !g.Eq(w) {
			t.Errorf("%s: the elements of %s differ", what, name)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("%s: tensors %v, which PyTorch's file lacks", what, got)
	}
}
