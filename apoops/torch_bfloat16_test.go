package apoops

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// torchBFloat16 is the file that benchmarks/peers/torch_bfloat16.py writes.
type torchBFloat16 struct {
	Torch string
	Cases []torchOp
}

type torchOp struct {
	Op     string
	Shapes [][]int
	Inputs [][]float32
	Dy     []float32
	// Low and Single are the value and the gradients, computed in bfloat16 and in float32.
	Low, Single [][]float32
}

func (c torchOp) build(in gorgonia.Nodes) (y *gorgonia.Node, err error) {
	switch c.Op {
	case "product":
		return Linear(in[0], in[1], Identity)
	case "relu":
		return ReLU(in[0])
	case "tanh":
		return Tanh(in[0])
	case "sigmoid":
		return Sigmoid(in[0])
	case "add":
		return Add(in...)
	case "softmax":
		return Softmax(in[0])
	case "logSoftmax":
		return LogSoftmax(in[0])
	case "layerNorm":
		return LayerNorm(in[0], in[1], in[2], 1e-5)
	case "conv":
		w, err := FilterMatrix(in[1], nil)
		if err != nil {
			return nil, err
		}
		return Conv2D(in[0], w, Conv{Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}, NoBias: true})
	case "max":
		return MaxPool2D(in[0], Pool{Kernel: [2]int{2, 2}})
	case "average":
		return AvgPool2D(in[0], Pool{Kernel: [2]int{2, 2}})
	case "norm":
		y, _, _, err = BatchNorm(in[0], in[1], in[2], 1e-5, Identity)
		return y, err
	}
	return nil, fmt.Errorf("unknown op %q", c.Op)
}

// run computes the value and the gradients in packed bfloat16.
func (c torchOp) run(t *testing.T) (results [][]float32) {
	t.Helper()
	g := gorgonia.NewGraph()
	w := world{values: make(map[*gorgonia.Node]gorgonia.Value)}
	leaf := func(name string, shape []int, x []float32) *gorgonia.Node {
		n := gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
		w.values[n] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(x)))
		return n
	}
	var in, leaves gorgonia.Nodes
	for i, s := range c.Shapes {
		n := leaf(fmt.Sprintf("x%d", i), s, c.Inputs[i])
		leaves, in = append(leaves, n), append(in, gorgonia.Must(Cast16(n, BFloat16)))
	}
	y, err := c.build(in)
	if err != nil {
		t.Fatal(err)
	}
	cost := gorgonia.Must(InnerProduct(y, leaf("dy", y.Shape(), c.Dy), 1))
	grads, err := gorgonia.Grad(cost, leaves...)
	if err != nil {
		t.Fatal(err)
	}
	w.nodes = g.AllNodes()
	slices.SortFunc(w.nodes, func(a, b *gorgonia.Node) int { return int(a.ID() - b.ID()) })
	for _, n := range w.nodes {
		op, ok := n.Op().(Rounder)
		if n.Op() == nil {
			continue
		}
		if ok {
			if err := op.RoundResult(BFloat16, KeepPacked); err != nil {
				t.Fatal(err)
			}
		}
		w.step(t, n)
	}
	for _, n := range append(gorgonia.Nodes{y}, grads...) {
		results = append(results, unpacked(BFloat16, w.values[n]).(*tensor.Dense).Float32s())
	}
	return results
}

// place16 numbers the bfloat16s in their order.
func place16(x float32) int {
	b := int(ToBits(BFloat16, float64(x)))
	if b&0x8000 != 0 {
		return -(b & 0x7fff)
	}
	return b
}

// distance is the largest one of two arrays in units in the last place.
func distance(a, b []float32) (units int) {
	for i, v := range a {
		units = max(units, place16(v)-place16(b[i]), place16(b[i])-place16(v))
	}
	return units
}

// roundedInside are the ops of which PyTorch rounds more than the result in bfloat16: sums,
// or means and variances.
var roundedInside = []string{"product", "logSoftmax", "layerNorm", "norm"}

// TestBFloat16EqualsTorch compares ops and their gradients with those that PyTorch
// computed, to one unit in the last place: in bfloat16 or, where it rounds more than the
// result, in float32 from the same numbers, rounded.
func TestBFloat16EqualsTorch(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "torch_bfloat16.json"))
	if err != nil {
		t.Fatal(err)
	}
	checkBFloat16(t, data)
}

// TestBFloat16EqualsTorchAgain does so with the PyTorch of this machine.
func TestBFloat16EqualsTorchAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine; the stored numbers are tested by TestBFloat16EqualsTorch")
	}
	out, err := exec.Command(python, filepath.Join("..", "benchmarks", "peers", "torch_bfloat16.py")).Output()
	if err != nil {
		t.Fatal(err)
	}
	checkBFloat16(t, out)
}

func checkBFloat16(t *testing.T, data []byte) {
	t.Helper()
	var f torchBFloat16
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) == 0 {
		t.Fatal("no cases")
	}
	equal := 0
	for _, c := range f.Cases {
		for i, got := range c.run(t) {
			low, single := distance(got, c.Low[i]), distance(got, c.Single[i])
			switch {
			case low <= 1:
				equal++
			case !slices.Contains(roundedInside, c.Op):
				t.Errorf("%s: array %d is %d units from that of PyTorch %s in bfloat16", c.Op, i, low, f.Torch)
			case single > 1:
				t.Errorf("%s: array %d is %d units from that of PyTorch %s in float32", c.Op, i, single, f.Torch)
			}
		}
	}
	t.Logf("%d arrays are those of PyTorch %s in bfloat16", equal, f.Torch)
	if equal < 20 {
		t.Errorf("only %d arrays are those of bfloat16", equal)
	}
}
