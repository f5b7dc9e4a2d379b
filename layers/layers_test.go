package layers

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// output runs a model once on a batch of ones.
func output(t *testing.T, m *Model, params []*graph.Param, role graph.Role, rows, cols int) []float64 {
	t.Helper()
	g := gorgonia.NewGraph()
	ones := make([]float64, rows*cols)
	for i := range ones {
		ones[i] = 1
	}
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(rows, cols), gorgonia.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(ones))))
	var theta gorgonia.Nodes
	for _, p := range params {
		theta = append(theta, gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(p.Name), gorgonia.WithShape(p.Value.Shape()...), gorgonia.WithValue(p.Value)))
	}
	y, err := m.Output(&graph.Pass{Role: role, Random: apoops.NewRandom(1)}, gorgonia.Nodes{x}, theta)
	if err != nil {
		t.Fatal(err)
	}
	if err := gorgonia.NewTapeMachine(g).RunAll(); err != nil {
		t.Fatal(err)
	}
	return y.Value().Data().([]float64)
}

// TestModels checks the published numbers of parameters and the names.
func TestModels(t *testing.T) {
	for _, c := range []struct {
		name   string
		model  *Model
		layers int
		count  int
		first  string
	}{
		{"MNIST MLP, 2×1000", MLP(784, 1000, 1000, 10), 3, 1796010, "dense0"},
		{"deep linear 6-6-10", DeepLinear(6, 6, 10), 2, 96, "dense0"},
		{"autoencoder", Autoencoder(784, 1000, 500, 250, 30), 8, 2837314, "dense0"},
		{"with dropout and activation", Sequential(Dropout(0.5), Activation(apoops.TanhAct), Dense(3, 2, apoops.Identity)), 1, 8, "dense0"},
	} {
		params, err := c.model.Init(1, tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, p := range params {
			count += p.Value.DataSize()
			if !p.Matrix {
				t.Errorf("%s: %s is no matrix", c.name, p.Name)
			}
		}
		if len(params) != c.layers || count != c.count || params[0].Name != c.first {
			t.Errorf("%s: %d layers of %d weights, the first %q; want %d, %d, %q", c.name, len(params), count, params[0].Name, c.layers, c.count, c.first)
		}
	}
}

// TestOutput computes a small net by hand.
func TestOutput(t *testing.T) {
	m := MLPWith(apoops.TanhAct, 2, 2, 1)
	params, err := m.Init(1, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	w, v := params[0].Value.Float64s(), params[1].Value.Float64s()
	w[4], w[5] = 0.1, -0.2 // biases, which start at 0
	want := v[0]*math.Tanh(w[0]+w[2]+w[4]) + v[1]*math.Tanh(w[1]+w[3]+w[5]) + v[2]
	if got := output(t, m, params, graph.BaseRole, 1, 2)[0]; math.Abs(got-want) > 1e-15 {
		t.Fatalf("output %v, want %v", got, want)
	}
}

func TestDropoutIsOffInEvaluation(t *testing.T) {
	m := Sequential(Dropout(0.5))
	for _, v := range output(t, m, nil, graph.EvalRole, 4, 8) {
		if v != 1 {
			t.Fatalf("evaluation sees %v", v)
		}
	}
	kept := 0
	for _, v := range output(t, m, nil, graph.BaseRole, 4, 8) {
		if v == 2 {
			kept++
		} else if v != 0 {
			t.Fatalf("training sees %v", v)
		}
	}
	if kept == 0 || kept == 32 {
		t.Fatalf("%d of 32 elements kept", kept)
	}
}

func TestInitializers(t *testing.T) {
	const in, out = 400, 300
	draw := func(init Initializer) []float64 {
		d := &DenseLayer{Inputs: in, Outputs: out, Init: init}
		params, err := Sequential(d).Init(5, tensor.Float64)
		if err != nil {
			t.Fatal(err)
		}
		w := params[0].Value.Float64s()
		for _, b := range w[in*out:] {
			if b != 0 {
				t.Fatalf("a bias starts at %v", b)
			}
		}
		return w[:in*out]
	}
	moments := func(w []float64) (mean, variance, largest float64) {
		for _, v := range w {
			mean += v / float64(len(w))
			variance += v * v / float64(len(w))
			largest = max(largest, math.Abs(v))
		}
		return mean, variance, largest
	}
	for _, c := range []struct {
		name            string
		init            Initializer
		variance, bound float64
	}{
		{"Glorot", Glorot(), 2.0 / (in + out), math.Sqrt(6.0 / (in + out))},
		{"He", He(), 2.0 / in, math.Inf(1)},
		{"LeCun", LeCun(), 1.0 / (3 * in), 1 / math.Sqrt(in)},
		{"Normal", Normal(0.3), 0.09, math.Inf(1)},
		{"Sparse", Sparse(15), 15.0 / in, math.Inf(1)},
	} {
		mean, variance, largest := moments(draw(c.init))
		if math.Abs(mean) > 5*math.Sqrt(c.variance/(in*out)) || math.Abs(variance/c.variance-1) > 0.05 || largest > c.bound {
			t.Errorf("%s: mean %v, variance %v (want %v), largest %v (bound %v)", c.name, mean, variance, c.variance, largest, c.bound)
		}
	}
	w := draw(Sparse(15))
	for j := range out {
		n := 0
		for i := range in {
			if w[i*out+j] != 0 {
				n++
			}
		}
		if n != 15 {
			t.Fatalf("unit %d has %d incoming weights", j, n)
		}
	}
}

func TestInitIsSeeded(t *testing.T) {
	draw := func(seed uint64, dt tensor.Dtype) *tensor.Dense {
		p, err := MLP(3, 4, 2).Init(seed, dt)
		if err != nil {
			t.Fatal(err)
		}
		return p[1].Value
	}
	a, b, c := draw(1, tensor.Float64), draw(1, tensor.Float64), draw(2, tensor.Float64)
	single := draw(1, tensor.Float32)
	for i, v := range a.Float64s() {
		if v != b.Float64s()[i] || float32(v) != single.Float32s()[i] {
			t.Fatal("one seed gives two nets")
		}
	}
	if a.Float64s()[0] == c.Float64s()[0] {
		t.Fatal("two seeds give one net")
	}
}

func TestMistakesAreErrors(t *testing.T) {
	for what, c := range map[string]struct {
		m    *Model
		want string
	}{
		"one width":     {MLP(3), "width"},
		"width 0":       {MLP(3, 0, 2), "positive"},
		"nil layer":     {Sequential(nil), "nil"},
		"no parameters": {Sequential(Activation(apoops.ReLUAct)), "no parameters"},
	} {
		if _, err := c.m.Init(1, tensor.Float32); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := MLP(3, 2).Init(1, tensor.Int); err == nil {
		t.Error("integers were accepted as weights")
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(1, 3))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(4, 2))
	for what, theta := range map[string]gorgonia.Nodes{"too few": {}, "too many": {w, w}} {
		if _, err := MLP(3, 2).Output(&graph.Pass{}, gorgonia.Nodes{x}, theta); err == nil {
			t.Errorf("%s parameters were accepted", what)
		}
	}
	if _, err := MLP(3, 2).Output(&graph.Pass{}, nil, gorgonia.Nodes{w}); err == nil {
		t.Error("a model without input was built")
	}
	if _, err := Sequential(Dropout(1.5)).Output(&graph.Pass{Random: apoops.NewRandom(1)}, gorgonia.Nodes{x}, nil); err == nil {
		t.Error("a dropout rate of 1.5 was accepted")
	}
}
