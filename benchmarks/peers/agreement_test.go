package peers

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// Both sides, from the same weights and on the same batch, have the same losses,
// gradients and weights. In float64 nothing but the order of sums differs.
func TestBothSidesTrainAlike(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("PyTorch not found")
	}
	// One process of PyTorch trains all: its start takes longer than that.
	var all []*bothSides
	args := []string{"--steps", strconv.Itoa(alikeSteps), "--rate", fmt.Sprint(alikeRate)}
	for _, net := range []string{"lenet", "resnet8"} {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			b := newBothSides(t, net, dt)
			all, args = append(all, b), append(args, net, b.input, b.output)
		}
	}
	var done struct{}
	if err := runScript(t.Context(), &done, python, "torch_train.py", args...); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		t.Run(fmt.Sprintf("%s/%v", b.net, b.dt), func(t *testing.T) {
			b.trainAlike(t, map[tensor.Dtype]float64{tensor.Float32: 2e-4, tensor.Float64: 1e-10}[b.dt])
		})
	}
}

const (
	alikeSteps = 4
	alikeRate  = 0.01
)

// bothSides are a net and a batch here and, in files, for PyTorch.
type bothSides struct {
	net           string
	dt            tensor.Dtype
	model         *layers.Model
	tr            *trainers.Trainer
	batch         graph.Batch
	input, output string
}

func newBothSides(t *testing.T, net string, dt tensor.Dtype) *bothSides {
	t.Helper()
	model, example, err := build(net)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := trainers.New(model, graph.SoftmaxCrossEntropy, trainers.SGDm(alikeRate), trainers.EveryK(0), trainers.Dtype(dt))
	if err != nil {
		t.Fatal(err)
	}
	batch := randomBatch(1, 8, example...)
	if dt == tensor.Float64 {
		x := make([]float64, batch.X[0].DataSize())
		for i, v := range batch.X[0].Float32s() {
			x[i] = float64(v)
		}
		batch.X[0] = tensor.New(tensor.WithShape(batch.X[0].Shape().Clone()...), tensor.WithBacking(x))
	}
	before := []trainers.NamedTensor{{Name: "x", Value: batch.X[0]}, {Name: "t", Value: batch.T[0]}}
	for _, p := range tr.Params() {
		before = append(before, trainers.NamedTensor{Name: p.Name, Value: p.Value})
	}
	dir := t.TempDir()
	input, output := filepath.Join(dir, "before"), filepath.Join(dir, "after")
	if err := checkpoint.WriteSafetensors(input, before); err != nil {
		t.Fatal(err)
	}
	return &bothSides{net, dt, model, tr, batch, input, output}
}

func (b *bothSides) trainAlike(t *testing.T, tolerance float64) {
	tr, batch := b.tr, b.batch
	tensors, err := checkpoint.ReadSafetensors(b.output)
	if err != nil {
		t.Fatal(err)
	}
	theirs := make(map[string][]float64)
	for _, a := range tensors {
		theirs[a.Name] = numbers(a.Value)
	}

	base, err := graph.NewBase(graph.Objective{Model: b.model, Loss: graph.SoftmaxCrossEntropy}, tr.Params(), batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := base.Feed(batch); err != nil {
		t.Fatal(err)
	}
	if err := base.Run(); err != nil {
		t.Fatal(err)
	}
	g, err := base.Grads()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range graph.Learned(tr.Params()) {
		alike(t, "gradient of "+p.Name, numbers(g[i]), theirs["gradient/"+p.Name], tolerance)
	}
	losses := make([]float64, alikeSteps)
	for i := range losses {
		s, err := tr.Step(batch)
		if err != nil {
			t.Fatal(err)
		}
		losses[i] = s.Loss
	}
	alike(t, "losses", losses, theirs["loss"], tolerance)
	for _, p := range tr.Params() {
		alike(t, "weights "+p.Name, numbers(p.Value), theirs[p.Name], tolerance)
	}
}

// alike compares arrays by the norm of their difference.
func alike(t *testing.T, what string, ours, theirs []float64, tolerance float64) {
	t.Helper()
	if len(ours) != len(theirs) {
		t.Errorf("%s: %d numbers, PyTorch has %d", what, len(ours), len(theirs))
		return
	}
	var difference, norm float64
	for i, v := range theirs {
		difference += (ours[i] - v) * (ours[i] - v)
		norm += v * v
	}
	if !(math.Sqrt(difference) <= tolerance*math.Sqrt(norm)) {
		t.Errorf("%s: relative difference %.2g from PyTorch's", what, math.Sqrt(difference/norm))
	}
}

// numbers are the elements of a float32 or float64 array.
func numbers(a *tensor.Dense) []float64 {
	if a.Dtype() == tensor.Float64 {
		return a.Float64s()
	}
	x := make([]float64, a.DataSize())
	for i, v := range a.Float32s() {
		x[i] = float64(v)
	}
	return x
}
