package main

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// All libraries have the losses of this one, from the same weights on the same batch.
func TestSidesTrainAlike(t *testing.T) {
	const n, in, classes = 4, 5, 3
	x, labels := make([]float32, n*in), make([]int, n)
	for i := range x {
		x[i] = float32(i%7) / 3
	}
	for i := range labels {
		labels[i] = i % classes
	}
	batch := graph.NewBatch(tensor.New(tensor.WithShape(n, in), tensor.WithBacking(x)), tensor.New(tensor.WithShape(n), tensor.WithBacking(labels)))
	tr, err := trainers.New(layers.MLP(in, 7, 6, classes), graph.SoftmaxCrossEntropy, trainers.SGDm(learningRate), trainers.EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	all := []trainers.NamedTensor{{Name: "x", Value: batch.X[0]}, {Name: "t", Value: batch.T[0]}}
	parameters := 0
	for _, p := range tr.Params() {
		all = append(all, trainers.NamedTensor{Name: p.Name, Value: p.Value})
		parameters += p.Value.DataSize()
	}
	path := filepath.Join(t.TempDir(), "task")
	if err := checkpoint.WriteSafetensors(path, all); err != nil {
		t.Fatal(err)
	}
	var want []float64
	for range 6 {
		step, err := tr.Step(batch)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, step.Loss)
	}
	for _, name := range names() {
		var out bytes.Buffer
		if err := run([]string{"-side", name, "-steps", "5", "-warmup", "2", "-losses", "6", path}, &out); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var m measurement
		if err := json.Unmarshal(out.Bytes(), &m); err != nil || m.Parameters != parameters || !(0 < m.Min && m.Min <= m.Median) || m.Version == "" || m.BLAS == "" {
			t.Errorf("%s: %v in %s", name, err, out.Bytes())
		}
		if len(m.Losses) != len(want) {
			t.Errorf("%s: %d losses", name, len(m.Losses))
			continue
		}
		for i, v := range m.Losses {
			if !(math.Abs(v-want[i]) <= 1e-5*want[i]) {
				t.Errorf("%s: loss %v in step %d, this library has %v", name, v, i, want[i])
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"none of gomlx": {"-side", "else", "file"},
		"one argument":  {"-side", "gomlx"},
		"-steps":        {"-side", "gomlx", "-steps", "0", "file"},
		"no such file":  {"-side", "gomlx", "no-such-file"},
		"flag provided": {"-nonsense"},
		"gorgonia-blas": {},
	} {
		if err := run(args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
}
