package trainers

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// accumulateScript trains a net of two dense layers with a batch norm between them by
// accumulating gradients over micro-batches, as PyTorch's users write it.
const accumulateScript = `
import json, sys
import torch
import torch.nn.functional as F

task = json.load(sys.stdin)
weights = [torch.tensor(w, dtype=torch.float64).reshape(s).requires_grad_() for w, s in zip(task["weights"], task["shapes"])]
w1, scale, shift, w2 = weights
opt = torch.optim.SGD(weights, lr=task["rate"], momentum=0.9)
for x, labels in zip(task["x"], task["labels"]):
    x, labels = torch.tensor(x, dtype=torch.float64).reshape(len(labels), -1), torch.tensor(labels)
    opt.zero_grad()
    for xs, ts in zip(x.chunk(task["parts"]), labels.chunk(task["parts"])):
        z = xs @ w1[:-1] + w1[-1]
        z = F.batch_norm(z, None, None, scale, shift, training=True, eps=1e-5)
        loss = F.cross_entropy(torch.relu(z) @ w2[:-1] + w2[-1], ts)
        (loss / task["parts"]).backward()
    opt.step()
json.dump([w.detach().flatten().tolist() for w in weights], sys.stdout)
`

// TestAccumulateEqualsTorch compares 50 steps of four micro-batches each with PyTorch's.
func TestAccumulateEqualsTorch(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine")
	}
	const parts, size, steps, rate = 4, 16, 50, 0.05
	data := toyData(t, tensor.Float64)
	model := layers.Sequential(layers.Dense(4, 6, apoops.Identity), layers.BatchNorm(6, apoops.ReLUAct), layers.Dense(6, 3, apoops.Identity))
	tr, err := New(model, graph.SoftmaxCrossEntropy, SGDm(rate), Dtype(tensor.Float64), EveryK(0), Accumulate(parts))
	if err != nil {
		t.Fatal(err)
	}
	var weights, x [][]float64
	var shapes, labels [][]int
	for _, p := range graph.Learned(tr.Params()) {
		weights, shapes = append(weights, slices.Clone(apoops.Elements[float64](p.Value))), append(shapes, p.Value.Shape())
	}
	for step := range steps {
		batch := rowsOf(data, step*7%24, size)
		x, labels = append(x, apoops.Elements[float64](batch.X[0])), append(labels, batch.T[0].Ints())
		if _, err := tr.Step(batch); err != nil {
			t.Fatal(err)
		}
	}
	task := map[string]any{"rate": rate, "parts": parts, "weights": weights, "shapes": shapes, "x": x, "labels": labels}
	in, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, "-c", accumulateScript)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var want [][]float64
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, p := range graph.Learned(tr.Params()) {
		if d := distance(apoops.Elements[float64](p.Value), want[i]); !(d <= 1e-10) {
			t.Errorf("%s is off by %.1e", p.Name, d)
		}
	}
}
