package trainers

import (
	"bytes"
	"encoding/json"
	"math"
	"os/exec"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// torchArray, torchOptimizer and torchGroups are what benchmarks/peers/torch_groups.py reads.
type torchArray struct {
	Shape []int     `json:"shape"`
	Data  []float64 `json:"data"`
}

type torchOptimizer struct {
	Class  string        `json:"class"`
	Groups []torchGroups `json:"groups"`
}

type torchGroups struct {
	Names    []string           `json:"names"`
	Settings map[string]float64 `json:"settings"`
	Factors  []float64          `json:"factors"`
}

// normedNet is the net of torch_groups.py: the weights of PyTorch's layers are rows of ours.
func normedNet() graph.Model {
	return layers.Sequential(layers.Dense(4, 6, apoops.TanhAct), layers.LayerNorm(6), layers.Dense(6, 3, apoops.Identity))
}

// torchWeights are the parameters of normedNet by PyTorch's names.
func torchWeights(tr *Trainer) map[string]torchArray {
	all := map[string]torchArray{}
	for i, names := range [][2]string{{"first", "first bias"}, {"gain"}, {"shift"}, {"last", "last bias"}} {
		v := tr.Params()[i].Value
		w, shape := v.Float64s(), v.Shape()
		if len(shape) == 1 {
			all[names[0]] = torchArray{[]int{len(w)}, append([]float64(nil), w...)}
			continue
		}
		cut := (shape[0] - 1) * shape[1]
		all[names[0]] = torchArray{[]int{shape[0] - 1, shape[1]}, append([]float64(nil), w[:cut]...)}
		all[names[1]] = torchArray{[]int{shape[1]}, append([]float64(nil), w[cut:]...)}
	}
	return all
}

// factorsOf are those of schedules at each step.
func factorsOf(steps int, schedules ...Schedule) []float64 {
	all := make([]float64, steps)
	for t := range all {
		all[t] = 1
		for _, s := range schedules {
			all[t] *= s.At(t)
		}
	}
	return all
}

const torchSteps = 50

// groupedAsTorch has groups here and in PyTorch, by name.
func groupedAsTorch() map[string]struct {
	o     Optimizer
	opts  []Option
	torch []torchOptimizer
} {
	decayed := func(lr, decay float64) Optimizer {
		c := AdamW(lr)
		c.WeightDecay = decay
		return c
	}
	nesterov := SGDm(0.05)
	nesterov.Nesterov, nesterov.WeightDecay = true, 0.1
	step, cosine := StepDecay(0.5, 20, 35), Cosine(torchSteps, 0.1)
	all := Groups(decayed(0.01, 0.2), Group{Kinds: []string{"norm"}, Optimizer: decayed(0.02, 0.1)})
	all.DecayAll = true
	one, both := factorsOf(torchSteps), factorsOf(torchSteps, step, cosine)
	adamw := func(lr, decay float64) map[string]float64 {
		return map[string]float64{"lr": lr, "weight_decay": decay}
	}
	return map[string]struct {
		o     Optimizer
		opts  []Option
		torch []torchOptimizer
	}{
		"rates, decay without biases and norms, schedules": {
			o:    Groups(decayed(0.01, 0.2), Group{Params: []string{"dense2"}, Optimizer: decayed(0.03, 0.4), Schedule: step}),
			opts: []Option{WithSchedule(cosine)},
			torch: []torchOptimizer{{"AdamW", []torchGroups{
				{[]string{"first"}, adamw(0.01, 0.2), factorsOf(torchSteps, cosine)},
				{[]string{"first bias", "gain", "shift"}, adamw(0.01, 0), factorsOf(torchSteps, cosine)},
				{[]string{"last"}, adamw(0.03, 0.4), both}, {[]string{"last bias"}, adamw(0.03, 0), both}}}},
		},
		"decay of all": {
			o: all,
			torch: []torchOptimizer{{"AdamW", []torchGroups{
				{[]string{"first", "first bias", "last", "last bias"}, adamw(0.01, 0.2), one},
				{[]string{"gain", "shift"}, adamw(0.02, 0.1), one}}}},
		},
		"mixed rules": {
			o: Groups(decayed(0.01, 0.2), Group{Kinds: []string{"dense"}, Params: nil, Optimizer: nesterov}),
			torch: []torchOptimizer{{"AdamW", []torchGroups{{[]string{"gain", "shift"}, adamw(0.01, 0), one}}},
				{"SGD", []torchGroups{
					{[]string{"first", "last"}, map[string]float64{"lr": 0.05, "weight_decay": 0.1, "momentum": 0.9, "nesterov": 1}, one},
					{[]string{"first bias", "last bias"}, map[string]float64{"lr": 0.05, "weight_decay": 0, "momentum": 0.9, "nesterov": 1}, one}}}},
		},
		"frozen": {
			o: Groups(decayed(0.01, 0.2), Group{Params: []string{"dense0", "*/shift"}, Frozen: true}),
			torch: []torchOptimizer{{"AdamW", []torchGroups{
				{[]string{"last"}, adamw(0.01, 0.2), one}, {[]string{"gain", "last bias"}, adamw(0.01, 0), one}}}},
		},
	}
}

// TestGroupsEqualTorch trains by groups of torch.optim, all in one process, and by the same
// ones here, in float64.
func TestGroupsEqualTorch(t *testing.T) {
	t.Parallel()
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine")
	}
	data := toyData(t, tensor.Float64)
	tasks, got := map[string]any{}, map[string]torchTrained{}
	for name, c := range groupedAsTorch() {
		t.Run("train "+name, func(t *testing.T) {
			tr, err := New(normedNet(), toyLoss, c.o, append([]Option{Dtype(tensor.Float64), EveryK(0)}, c.opts...)...)
			if err != nil {
				t.Fatal(err)
			}
			x := data.X
			task := map[string]any{
				"x": torchArray{x.Shape(), x.Float64s()}, "labels": data.T.Ints(), "weights": torchWeights(tr), "steps": torchSteps, "optimizers": c.torch,
			}
			var rows [][]int
			var losses []float64
			for step := range torchSteps {
				lo, own := step*7%45, []int{}
				for i := range 12 {
					own = append(own, lo+i)
				}
				rows = append(rows, own)
				s, err := tr.Step(rowsOf(data, lo, 12))
				if err != nil {
					t.Fatal(err)
				}
				losses = append(losses, s.Loss)
			}
			task["rows"] = rows
			weights := map[string][]float64{}
			for name, w := range torchWeights(tr) {
				weights[name] = w.Data
			}
			tasks[name], got[name] = task, torchTrained{losses, weights}
		})
	}
	want := trainInTorch(t, python, tasks)
	for name, g := range got {
		t.Run(name, func(t *testing.T) { g.compare(t, want[name]) })
	}
}

// torchTrained is what torch_groups.py prints of a task.
type torchTrained struct {
	Losses  []float64
	Weights map[string][]float64
}

func trainInTorch(t *testing.T, python string, tasks map[string]any) (trained map[string]torchTrained) {
	t.Helper()
	in, err := json.Marshal(tasks)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, filepath.Join("..", "benchmarks", "peers", "torch_groups.py"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &trained); err != nil {
		t.Fatal(err)
	}
	return trained
}

func (g torchTrained) compare(t *testing.T, want torchTrained) {
	t.Helper()
	const tolerance = 1e-10
	worst := 0.0
	compare := func(what string, got, want []float64) {
		if len(got) != len(want) {
			t.Fatalf("%s: %d numbers, PyTorch has %d", what, len(got), len(want))
		}
		for i, w := range want {
			d := math.Abs(got[i]-w) / max(1, math.Abs(w))
			if worst = max(worst, d); !(d <= tolerance) {
				t.Fatalf("%s: number %d is %v, PyTorch's is %v", what, i, got[i], w)
			}
		}
	}
	compare("losses", g.Losses, want.Losses)
	if len(want.Weights) != len(g.Weights) {
		t.Fatalf("%d arrays of weights, PyTorch has %d", len(g.Weights), len(want.Weights))
	}
	for name, w := range want.Weights {
		compare(name, g.Weights[name], w)
	}
	t.Logf("the largest difference from PyTorch is %.1e", worst)
}
