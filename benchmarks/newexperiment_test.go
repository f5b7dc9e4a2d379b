package main

import (
	"context"
	"encoding/json"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// This file adds an experiment of a new kind. Its examples are the bits of numbers, its
// setting has a field of its own, and it has a computed result besides its runs. The
// line in init registers it.
func init() { experiments.Register(bitParity) }

var bitParity = &experiments.Experiment{
	Name: "parity", Figure: "Figure 0", Title: "Parity of numbers", Data: "all numbers of some bits", Paper: "nothing",
	Scales: map[experiments.Scale]experiments.Config{
		experiments.Smoke: {Own: map[string]float64{"bits": 5}, Steps: 20, Batch: 8, Dtype: "float64", Evaluations: 2, Validation: 4},
	},
	Methods: []string{"sgdm", "adam"},
	Measure: experiments.TestAccuracy, Plots: []experiments.Plot{experiments.AccuracyBySteps},
	Task: parityTask{}, Computation: parityCount{},
}

// parityTask classifies numbers by the parity of their bits.
type parityTask struct{}

func (parityTask) bits(c experiments.Config) int { return int(c.Own["bits"]) }

func (t parityTask) Describe(c experiments.Config) string {
	return bitsInWords[t.bits(c)] + " bits"
}

var bitsInWords = map[int]string{5: "five"}

func (t parityTask) Model(c experiments.Config) (graph.Model, error) {
	return layers.MLP(t.bits(c), 6, 2), nil
}

func (parityTask) Loss() graph.Loss { return graph.SoftmaxCrossEntropy }

func (t parityTask) Load(_ context.Context, c experiments.Config) (experiments.Problem, error) {
	all := numbers{t.bits(c), 1 << t.bits(c)}
	return experiments.Problem{Train: all, Evaluate: all}, nil
}

func (t parityTask) RandomBatch(c experiments.Config) graph.Batch {
	all := numbers{t.bits(c), 1 << t.bits(c)}
	b, rows := all.NewBatch(c.Batch), make([]int, c.Batch)
	for i := range rows {
		rows[i] = rand.IntN(all.Len())
	}
	all.Fill(b, rows, batch.Draw{})
	return b
}

func (t parityTask) Work(c experiments.Config) experiments.Work {
	return experiments.Work{MultiplyAdds: float64(6 * (t.bits(c) + 3)), EvaluationBatch: 7}
}

// numbers are the first n numbers of some bits.
type numbers struct{ bits, n int }

func (s numbers) Len() int   { return s.n }
func (numbers) Check() error { return nil }

func (s numbers) NewBatch(n int) graph.Batch {
	return graph.NewBatch(
		tensor.New(tensor.WithShape(n, s.bits), tensor.WithBacking(make([]float64, n*s.bits))),
		tensor.New(tensor.WithShape(n), tensor.WithBacking(make([]int, n))))
}

func (s numbers) Fill(b graph.Batch, rows []int, _ batch.Draw) {
	x, t := b.X[0].Float64s(), b.T[0].Ints()
	for i, r := range rows {
		for k := range s.bits {
			x[i*s.bits+k] = float64(r >> k & 1)
		}
		t[i] = bits.OnesCount(uint(r)) % 2
	}
}

// parityCount counts the numbers of odd parity.
type parityCount struct{}

type oddNumbers struct {
	Odd []int `json:"odd_by_bits"`
}

func (parityCount) Compute(context.Context, experiments.Scale) (experiments.Result, error) {
	return &oddNumbers{[]int{1, 2, 4, 8}}, nil
}

func (parityCount) Decode(text []byte) (experiments.Result, error) {
	var r oddNumbers
	if err := json.Unmarshal(text, &r); err != nil || len(r.Odd) == 0 {
		return nil, errors.Errorf("no numbers of odd parity (%v)", err)
	}
	return &r, nil
}

func (parityCount) Claims() []experiments.Claim {
	return []experiments.Claim{{Where: "§0", Text: "half of the numbers are odd", Decide: func(r experiments.Result) (bool, string) {
		return r.(*oddNumbers).Odd[3] == 8, "8 of 16"
	}}}
}

func (r *oddNumbers) Figures(title string) []experiments.Figure {
	l := chart.Line{Name: "odd", X: []float64{1, 2, 3, 4}, Color: chart.Colors[0]}
	for _, n := range r.Odd {
		l.Y = append(l.Y, float64(n))
	}
	return []experiments.Figure{{Name: "count", Caption: "odd numbers by bits", Chart: chart.Chart{Title: title, Lines: []chart.Line{l}}}}
}

// All commands serve the new experiment.
func TestANewExperimentIsOneFile(t *testing.T) {
	dir := t.TempDir()
	check := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q is not in %q", w, text)
			}
		}
	}
	command := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := run(args...)
		if code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr)
		}
		return stdout
	}
	check(command("list", "parity", "-measure"), "parity  Figure 0: Parity of numbers", "five bits, 20 steps of 8, less than 1 s and ")
	check(command("run", "parity", "-scale", "smoke", "-seeds", "1", "-out", dir), "parity smoke: computed", "2 runs, 0 of them stored already")
	check(command("run", "parity", "-scale", "smoke", "-seeds", "1", "-out", dir), "parity smoke: stored already", "2 runs, 2 of them stored already")
	check(command("tune", "parity", "-scale", "smoke", "-optimizers", "sgdm", "-configs", "2", "-out", dir), "parity smoke sgdm: validation accuracy")
	path := filepath.Join(dir, "R.md")
	command("report", "-o", path, dir)
	check(pagesOf(t, path), "| [parity, smoke](parity.md) | §0: half of the numbers are odd | **holds** | 8 of 16 |",
		"Here: five bits, 20 steps of batches of 8 (6.67 epochs of 28 rows), float64", "![odd numbers by bits](../r-figures/parity-smoke-count.png)",
		"test accuracy, % by step", "| SGDm | 1 |")
	result := filepath.Join(dir, "parity", "smoke", "result.json")
	if err := os.WriteFile(result, []byte(`{"x": [1], "panels": []}`), 0o666); err != nil { // it is not Figure 1's
		t.Fatal(err)
	}
	if code, _, stderr := run("report", dir); code != 1 || !strings.Contains(stderr, result) || !strings.Contains(stderr, "odd parity") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
