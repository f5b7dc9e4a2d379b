package apoops

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// torchImages is the file that benchmarks/peers/torch_images.py writes.
type torchImages struct {
	Epsilon, Rate float64
	Cases         []torchImage
}

type torchImage struct {
	Op       string
	Settings struct {
		Kernel, Stride, Pad [2]int
		Mean, Variance      []float64
	}
	Shape     []int // of the first input; the others are vectors
	Inputs    [][]float64
	Weights   []float64 // the gradients are those of Σ weights∘value
	Value     []float64
	Gradients [][]float64
}

func (c torchImage) build(in gorgonia.Nodes, epsilon float64) (y *gorgonia.Node, err error) {
	x := gorgonia.Must(Reshape(in[0], c.Shape...))
	p := Pool{Kernel: c.Settings.Kernel, Stride: c.Settings.Stride, Pad: c.Settings.Pad}
	switch c.Op {
	case "max":
		return MaxPool2D(x, p)
	case "average":
		return AvgPool2D(x, p)
	case "norm", "statistics":
		y, _, _, err = BatchNorm(x, in[1], in[2], epsilon, Identity)
	case "normRelu":
		y, _, _, err = BatchNorm(x, in[1], in[2], epsilon, ReLUAct)
	case "evalRelu":
		g := x.Graph()
		mean := inputNode(g, vector(c.Settings.Mean), x.Dtype(), "mean")
		variance := inputNode(g, vector(c.Settings.Variance), x.Dtype(), "variance")
		y, err = BatchNormWith(x, in[1], in[2], mean, variance, epsilon, ReLUAct)
	default:
		err = fmt.Errorf("unknown op %q", c.Op)
	}
	return y, err
}

func vector(x []float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))
}

func (c torchImage) check(t *testing.T, name string, f torchImages) {
	t.Helper()
	inputs := []*tensor.Dense{tensor.New(tensor.WithShape(c.Shape...), tensor.WithBacking(c.Inputs[0]))}
	for _, v := range c.Inputs[1:] {
		inputs = append(inputs, vector(v))
	}
	tc := opTest{name: name, build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return c.build(in, f.Epsilon) }, inputs: inputs}
	for i := range inputs {
		tc.wrt = append(tc.wrt, i)
	}
	weights := tensor.New(tensor.WithShape(tc.shape(t)...), tensor.WithBacking(c.Weights))
	for _, dt := range []struct {
		of  tensor.Dtype
		tol float64
	}{{tensor.Float64, 1e-12}, {tensor.Float32, 2e-5}} {
		y, d := tc.evaluate(t, inputs, dt.of, weights, true)
		compare(t, fmt.Sprintf("%s of %v", name, dt.of), y, c.Value, dt.tol)
		for i := range d {
			compare(t, fmt.Sprintf("%s of %v, gradient %d", name, dt.of, i), d[i], c.Gradients[i], dt.tol)
		}
	}
	if c.Op == "statistics" {
		c.checkStatistics(t, f, inputs)
	}
}

// checkStatistics compares one step of the running mean and variance from 0 and
// 1.
func (c torchImage) checkStatistics(t *testing.T, f torchImages, inputs []*tensor.Dense) {
	t.Helper()
	for i, want := range [][]float64{c.Settings.Mean, c.Settings.Variance} {
		got, _ := opTest{build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			_, mean, variance, err := BatchNorm(in[0], in[1], in[2], f.Epsilon, Identity)
			return [2]*gorgonia.Node{mean, variance}[i], err
		}}.evaluate(t, inputs, tensor.Float64, vector(want), false)
		for j, v := range got {
			got[j] = float64(i) + f.Rate*(v-float64(i))
		}
		compare(t, "running statistics", got, want, 1e-12)
	}
}

func (f torchImages) check(t *testing.T) {
	t.Helper()
	if len(f.Cases) == 0 {
		t.Fatal("no cases")
	}
	for i, c := range f.Cases {
		c.check(t, fmt.Sprintf("case %d (%s of %v)", i, c.Op, c.Shape), f)
	}
}

func parseTorchImages(t *testing.T, data []byte) (f torchImages) {
	t.Helper()
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestImageOpsEqualTorch compares with numbers that PyTorch computed.
func TestImageOpsEqualTorch(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "torch_images.json"))
	if err != nil {
		t.Fatal(err)
	}
	parseTorchImages(t, data).check(t)
}

// TestImageOpsEqualTorchAgain does so with the PyTorch of this machine.
func TestImageOpsEqualTorchAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine; the stored numbers are tested by TestImageOpsEqualTorch")
	}
	out, err := exec.Command(python, filepath.Join("..", "benchmarks", "peers", "torch_images.py")).Output()
	if err != nil {
		t.Fatal(err)
	}
	parseTorchImages(t, out).check(t)
}
