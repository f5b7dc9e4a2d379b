package trainers

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// torchGolden is the file that torchScript writes.
type torchGolden struct {
	Torch   string
	Factors []float64 // of the learning rate, by step
	Params  []torchParam
	Rules   []torchRule
}

type torchParam struct {
	Name      string
	Shape     []int
	Start     []float64
	Gradients [][]float64 // by step
}

// torchRule has the weights of all parameters, one after the other, after each
// step.
type torchRule struct {
	Name      string
	Optimizer string
	LR        float64
	Settings  json.RawMessage
	Float64   [][]float64
	Float32   [][]float64
}

var (
	torchFile   = filepath.Join("testdata", "torch_rules.json")
	torchScript = filepath.Join("..", "benchmarks", "peers", "torch_rules.py")
)

// The largest relative difference from PyTorch's numbers: both round, in
// another order.
const (
	torchTolerance64 = 1e-12
	torchTolerance32 = 1e-6
)

func storedTorch(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(torchFile)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parseTorch(t *testing.T, data []byte) torchGolden {
	t.Helper()
	var g torchGolden
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestRulesEqualTorch compares every update rule with torch.optim.
func TestRulesEqualTorch(t *testing.T) {
	golden := parseTorch(t, storedTorch(t))
	if len(golden.Rules) == 0 {
		t.Fatal("no rules in the file")
	}
	for _, r := range golden.Rules {
		t.Run(r.Name, func(t *testing.T) {
			t.Run("float64", func(t *testing.T) { equalsTorch[float64](t, golden, r, r.Float64, torchTolerance64) })
			t.Run("float32", func(t *testing.T) { equalsTorch[float32](t, golden, r, r.Float32, torchTolerance32) })
		})
	}
}

func equalsTorch[T apoops.Float](t *testing.T, golden torchGolden, r torchRule, want [][]float64, tolerance float64) {
	var params []*graph.Param
	for _, p := range golden.Params {
		params = append(params, &graph.Param{Name: p.Name, Value: denseOf(rounded[T](p.Start), p.Shape...)})
	}
	o, err := NewOptimizer(r.Optimizer, r.LR, r.Settings)
	if err != nil {
		t.Fatal(err)
	}
	started, err := o.Start(&rule.Task{Params: params})
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != len(golden.Factors) {
		t.Fatalf("%d steps of weights for %d factors", len(want), len(golden.Factors))
	}
	rates := make([]float64, len(params))
	g := make([]*tensor.Dense, len(params))
	for step, factor := range golden.Factors {
		for i, p := range golden.Params {
			rates[i] = r.LR * factor
			g[i] = denseOf(rounded[T](p.Gradients[step]), p.Shape...)
		}
		if err := started.Fused().Step(rule.Input{T: step + 1, G: g}, rates); err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, p := range params {
			for _, w := range apoops.Elements[T](p.Value) {
				got = append(got, float64(w))
			}
		}
		nearRelative(t, step, got, want[step], tolerance)
	}
}

func sameSteps(t *testing.T, got, want [][]float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d steps, want %d", len(got), len(want))
	}
	for step, w := range want {
		nearRelative(t, step, got[step], w, tolerance)
	}
}

// TestTorchAgain runs the script that wrote the golden file where PyTorch is
// installed, and compares.
func TestTorchAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine; the stored numbers are tested by TestRulesEqualTorch")
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, torchScript)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", torchScript, err, stderr.Bytes())
	}
	stored, again := parseTorch(t, storedTorch(t)), parseTorch(t, out)
	if len(stored.Rules) != len(again.Rules) || len(stored.Params) != len(again.Params) {
		t.Fatalf("the file has %d rules and %d parameters, the script %d and %d",
			len(stored.Rules), len(stored.Params), len(again.Rules), len(again.Params))
	}
	for i, s := range stored.Rules {
		a := again.Rules[i]
		if s.Name != a.Name || s.Optimizer != a.Optimizer || s.LR != a.LR || !bytes.Equal(s.Settings, a.Settings) {
			t.Fatalf("rule %d is %q in the file, %q by the script, or its settings differ", i, s.Name, a.Name)
		}
		sameSteps(t, a.Float64, s.Float64, torchTolerance64)
		sameSteps(t, a.Float32, s.Float32, torchTolerance32)
	}
	for i, s := range stored.Params {
		a := again.Params[i]
		nearRelative(t, 0, a.Start, s.Start, 0)
		sameSteps(t, a.Gradients, s.Gradients, 0)
	}
}

func rounded[T apoops.Float](x []float64) []T {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}

func nearRelative(t *testing.T, step int, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("step %d: %d numbers, want %d", step, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tolerance*math.Abs(w)) {
			t.Fatalf("step %d: number %d is %v, want %v (relative difference %.2g)", step, i, got[i], w, math.Abs(got[i]/w-1))
		}
	}
}
