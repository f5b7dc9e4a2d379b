package layers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/python"
	"github.com/apo-gorgonia/apo/graph"
)

// torchCase is a case of benchmarks/peers/torch_transformer.py.
type torchCase struct {
	Config    TransformerConfig `json:"config"`
	Params    []torchParam      `json:"params"`
	Source    [][]int           `json:"source"`
	Target    [][]int           `json:"target"`
	Targets   [][]int           `json:"targets"`
	Smoothing float64           `json:"smoothing"`

	model  graph.Model
	params []*graph.Param
}

type torchParam struct {
	Name   string    `json:"name"`
	Shape  []int     `json:"shape"`
	Values []float64 `json:"values"`
}

type torchResult struct {
	Loss      float64
	Gradients map[string][]float64
}

// torchCases are models of 2+2 blocks and of 2 blocks without encoder, of all forms,
// with random weights, on sentences of different lengths.
func torchCases(t *testing.T) (all []*torchCase) {
	t.Helper()
	rng := rand.New(rand.NewPCG(80, 1))
	base := TransformerConfig{Encoder: 2, Decoder: 2, Width: 8, Heads: 2, FeedForward: 12, Vocabulary: 11}
	forms := []func(*TransformerConfig){
		func(c *TransformerConfig) { c.Shared = true },
		func(c *TransformerConfig) { c.SourceVocabulary = 13 },
		func(c *TransformerConfig) { c.TiedOutput, c.LearnedPositions, c.Padding = true, 7, 10 },
		func(c *TransformerConfig) { c.Encoder, c.Shared = 0, true },
		func(c *TransformerConfig) { c.Encoder = 0 },
	}
	for i, form := range forms {
		for _, pre := range []bool{false, true} {
			c := &torchCase{Config: base, Smoothing: 0.1 * float64(i%3)}
			form(&c.Config)
			c.Config.PreNorm = pre
			c.draw(t, rng)
			all = append(all, c)
		}
	}
	return all
}

// draw makes weights, which all differ from their initial values, and sentences.
func (c *torchCase) draw(t *testing.T, rng *rand.Rand) {
	t.Helper()
	c.model = Transformer(c.Config)
	if c.Config.Encoder == 0 {
		c.model = LanguageModel(c.Config)
	}
	var err error
	if c.params, err = c.model.Init(rng.Uint64(), tensor.Float64); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.params {
		for i := range p.Value.Float64s() {
			p.Value.Float64s()[i] += 0.3 * rng.NormFloat64()
		}
		c.Params = append(c.Params, torchParam{p.Name, p.Value.Shape(), p.Value.Float64s()})
	}
	sentences := func(vocabulary, width int, lengths ...int) (all [][]int) {
		for _, l := range lengths {
			row := make([]int, width)
			for i := range row {
				row[i] = c.Config.Padding
				for i < l && row[i] == c.Config.Padding {
					row[i] = rng.IntN(vocabulary)
				}
			}
			all = append(all, row)
		}
		return all
	}
	c.Source = sentences(c.Config.sourceVocabulary(), 6, 6, 2, 5)
	c.Target = sentences(c.Config.Vocabulary, 5, 3, 5, 4)
	c.Targets = sentences(c.Config.Vocabulary, 5, 3, 5, 4)
}

func intArray(rows [][]int) *tensor.Dense {
	var all []int
	for _, r := range rows {
		all = append(all, r...)
	}
	return tensor.New(tensor.WithShape(len(rows), len(rows[0])), tensor.WithBacking(all))
}

// output builds the model's output from the case's sentences and weights.
func (c *torchCase) output(t *testing.T, g *gorgonia.ExprGraph, role graph.Role, masks *apoops.Random) (y *gorgonia.Node) {
	t.Helper()
	var x, theta gorgonia.Nodes
	if c.Config.Encoder > 0 {
		x = append(x, intNode(g, "x0", intArray(c.Source)))
	}
	x = append(x, intNode(g, "x1", intArray(c.Target)))
	for _, p := range c.params {
		theta = append(theta, gorgonia.NodeFromAny(g, p.Value, gorgonia.WithName(p.Name)))
	}
	y, err := c.model.Output(&graph.Pass{Role: role, Random: masks}, x, theta)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// ours computes loss and gradients of a case.
func (c *torchCase) ours(t *testing.T) (loss float64, gradients map[string][]float64) {
	t.Helper()
	g := gorgonia.NewGraph()
	y := c.output(t, g, graph.BaseRole, nil)
	theta := make(gorgonia.Nodes, len(c.params))
	for i, p := range c.params {
		theta[i] = g.ByName(p.Name)[0]
	}
	j, err := apoops.TokenCrossEntropy(y, intNode(g, "targets", intArray(c.Targets)), apoops.TokenSettings{Padding: c.Config.Padding, Smoothing: c.Smoothing})
	if err != nil {
		t.Fatal(err)
	}
	d, err := gorgonia.Grad(j, theta...)
	if err != nil {
		t.Fatal(err)
	}
	var value gorgonia.Value
	gorgonia.Read(j, &value)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	gradients = map[string][]float64{}
	for i, p := range c.params {
		gradients[p.Name] = d[i].Value().Data().([]float64)
	}
	return value.Data().(float64), gradients
}

func intNode(g *gorgonia.ExprGraph, name string, v *tensor.Dense) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Int, v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(v))
}

// TestTransformerEqualsTorch compares loss and all gradients with those of PyTorch's
// own blocks, from the same weights and sentences, without dropout.
func TestTransformerEqualsTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: importing PyTorch takes seconds")
	}
	python := python.With(t.Context(), "torch")
	if python == "" {
		t.Skip("skipped: no python3 with PyTorch on this machine")
	}
	cases := torchCases(t)
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, filepath.Join("..", "benchmarks", "peers", "torch_transformer.py"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var results []torchResult
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(cases) {
		t.Fatalf("%d results for %d cases: %v", len(results), len(cases), err)
	}
	for i, c := range cases {
		t.Run(fmt.Sprintf("%+v", c.Config), func(t *testing.T) {
			const tolerance = 1e-9
			loss, gradients := c.ours(t)
			want := results[i]
			if !(math.Abs(loss-want.Loss) <= tolerance*want.Loss) {
				t.Fatalf("loss %v, PyTorch's %v", loss, want.Loss)
			}
			if len(gradients) != len(want.Gradients) {
				t.Fatalf("%d gradients, PyTorch's %d", len(gradients), len(want.Gradients))
			}
			for name, d := range gradients {
				w := want.Gradients[name]
				var largest float64
				for _, v := range w {
					largest = max(largest, math.Abs(v))
				}
				for k, v := range d {
					if !(math.Abs(v-w[k]) <= tolerance*largest) {
						t.Fatalf("%s: gradient %d is %v, PyTorch's %v", name, k, v, w[k])
					}
				}
			}
		})
	}
}
