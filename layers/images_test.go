package layers

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// built makes the output of a model for images of a shape, to be run or looked at.
func built(m *Model, params []*graph.Param, role graph.Role, x *tensor.Dense) (*gorgonia.Node, error) {
	g := gorgonia.NewGraph()
	in := gorgonia.NewTensor(g, tensor.Float64, x.Dims(), gorgonia.WithName("x"), gorgonia.WithShape(x.Shape()...), gorgonia.WithValue(x))
	var theta gorgonia.Nodes
	for _, p := range params {
		theta = append(theta, gorgonia.NewTensor(g, tensor.Float64, p.Value.Dims(), gorgonia.WithName(p.Name), gorgonia.WithShape(p.Value.Shape()...), gorgonia.WithValue(p.Value)))
	}
	return m.Output(&graph.Pass{Role: role, Random: apoops.NewRandom(1)}, gorgonia.Nodes{in}, theta)
}

// outputOf runs a model once.
func outputOf(t *testing.T, m *Model, params []*graph.Param, role graph.Role, x pictures) []float64 {
	t.Helper()
	y, err := built(m, params, role, tensor.New(tensor.WithShape(x.n, x.c, x.h, x.w), tensor.WithBacking(x.v)))
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(y.Graph())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return y.Value().Data().([]float64)
}

func randomPictures(rng *rand.Rand, n, c, h, w int) pictures {
	p := newPictures(n, c, h, w)
	for i := range p.v {
		p.v[i] = rng.NormFloat64()
	}
	return p
}

// drawn has weights for a model and moves all, statistics included, from where
// they start.
func drawn(t *testing.T, m *Model) []*graph.Param {
	t.Helper()
	params, err := m.Init(3, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 1))
	for _, p := range params {
		for i, v := range p.Value.Float64s() {
			p.Value.Float64s()[i] = v + 0.2*rng.Float64() - 0.05
		}
	}
	return params
}

func nearly(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, v := range want {
		if !(math.Abs(got[i]-v) <= 1e-10*(1+math.Abs(v))) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], v)
		}
	}
}

// TestConvNet computes a small net by hand.
func TestConvNet(t *testing.T) {
	first := Conv(2, 3, 3, apoops.ReLUAct)
	first.Stride, first.Pad, first.Dilation = [2]int{1, 1}, [2]int{2, 2}, [2]int{2, 2}
	m := Sequential(first, MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}), Conv(3, 2, 2, apoops.Identity), Flatten(), Dense(2*3*2, 2, apoops.Identity))
	params := drawn(t, m)
	x := randomPictures(rand.New(rand.NewPCG(5, 1)), 3, 2, 8, 6)
	y := x.conv(params[0].Value.Float64s(), 3, 3, 1, 2, 2, true).relu().maxPool()
	y = y.conv(params[1].Value.Float64s(), 2, 2, 1, 0, 1, true).dense(params[2].Value.Float64s(), 2)
	nearly(t, "output", outputOf(t, m, params, graph.BaseRole, x), y.v)

	m = Sequential(AvgPool(apoops.Pool{Kernel: [2]int{1, 1}, Stride: [2]int{2, 2}}), Subsample(2, 5), GlobalAvgPool())
	nearly(t, "pools", outputOf(t, m, nil, graph.BaseRole, x), x.subsample(4, 5).globalMean().v)
}

// TestResidualNets compares whole nets with the tests' own arithmetic, in training
// and in evaluation.
func TestResidualNets(t *testing.T) {
	x := randomPictures(rand.New(rand.NewPCG(5, 2)), 2, 3, 12, 9)
	for name, c := range map[string]struct {
		m    *Model
		want func(r reference, x pictures) []float64
	}{
		"resnet8":  {ResNet8(10), reference.resNet8},
		"wrn-16-1": {WideResNet(16, 1, 10), reference.wideResNet16},
	} {
		params := drawn(t, c.m)
		training := c.want(newReference(params, true), x)
		for _, role := range []graph.Role{graph.BaseRole, graph.LossRole, graph.OldRole, graph.MovedRole, graph.CurvatureRole} {
			nearly(t, name+" in training", outputOf(t, c.m, params, role, x), training)
		}
		nearly(t, name+" in evaluation", outputOf(t, c.m, params, graph.EvalRole, x), c.want(newReference(params, false), x))
	}
}

// TestRunningStatistics moves the statistics of a net by three batches.
func TestRunningStatistics(t *testing.T) {
	conv := Conv(2, 3, 2, apoops.Identity)
	m := Sequential(BatchNorm(2, apoops.Identity), conv, Residual(BatchNorm(3, apoops.ReLUAct)), GlobalAvgPool())
	params, err := m.Init(1, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	named := newReference(params, true).weights
	rng := rand.New(rand.NewPCG(5, 3))
	x := tensor.New(tensor.WithShape(4, 2, 3, 5), tensor.Of(tensor.Float64))
	classes := tensor.New(tensor.WithShape(4), tensor.WithBacking([]int{0, 1, 2, 0}))
	base, err := graph.NewBase(graph.Objective{Model: m, Loss: graph.SoftmaxCrossEntropy}, params, graph.NewBatch(x, classes), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float64{
		"bn0/mean": {0, 0}, "bn0/variance": {1, 1}, "residual2/bn0/mean": {0, 0, 0}, "residual2/bn0/variance": {1, 1, 1},
	}
	for range 3 {
		p := randomPictures(rng, 4, 2, 3, 5)
		copy(x.Float64s(), p.v)
		if err := base.Feed(graph.NewBatch(x, classes)); err != nil {
			t.Fatal(err)
		}
		if err := base.Run(); err != nil {
			t.Fatal(err)
		}
		if err := base.MoveStatistics(); err != nil {
			t.Fatal(err)
		}
		mean, biased := p.moments(0)
		y := p.norm(named["bn0/scale"], named["bn0/shift"], mean, biased).conv(named["conv1"], 3, 2, 1, 0, 1, true)
		for name, p := range map[string]pictures{"bn0": p, "residual2/bn0": y} {
			mean, variance := p.moments(1)
			for c := range mean {
				want[name+"/mean"][c] = 0.9*want[name+"/mean"][c] + 0.1*mean[c]
				want[name+"/variance"][c] = 0.9*want[name+"/variance"][c] + 0.1*variance[c]
			}
		}
	}
	for name, w := range want {
		nearly(t, name, named[name], w)
	}
}

func TestNames(t *testing.T) {
	r := Residual(Conv(2, 2, 1, apoops.Identity), Activation(apoops.ReLUAct), BatchNorm(2, apoops.Identity))
	r.Shortcut = []Layer{Residual(Conv(2, 2, 1, apoops.Identity))}
	m := Sequential(Conv(3, 2, 1, apoops.ReLUAct), r, Flatten(), Dense(2, 1, apoops.Identity))
	params, err := m.Init(1, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range params {
		name := p.Name
		if p.Matrix {
			name += " matrix"
		}
		if p.Statistic {
			name += " statistic"
		}
		got = append(got, name)
	}
	want := "conv0 matrix, residual1/conv0 matrix, residual1/bn1/scale, residual1/bn1/shift, residual1/bn1/mean statistic, residual1/bn1/variance statistic, residual1/shortcut/residual0/conv0 matrix, dense2 matrix"
	if s := strings.Join(got, ", "); s != want {
		t.Fatalf("parameters %s, want %s", s, want)
	}
	x := tensor.New(tensor.WithShape(2, 3, 1, 1), tensor.Of(tensor.Float64))
	labels := tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{0, 0}))
	for _, name := range []string{"residual1/shortcut/residual0/conv0", "residual1/bn1"} {
		for _, p := range params {
			if strings.HasPrefix(p.Name, name) {
				p.Value.Float64s()[0] = math.NaN()
			}
		}
		where, err := graph.Trace(graph.Objective{Model: m, Loss: graph.SoftmaxCrossEntropy}, params, graph.NewBatch(x, labels), nil)
		if err != nil || where != "the output of "+name {
			t.Errorf("NaN in %s: found in %q, %v", name, where, err)
		}
	}
}

func TestConvInit(t *testing.T) {
	c := Conv(20, 50, 3, apoops.ReLUAct)
	params, err := Sequential(c).Init(1, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	w, variance := params[0].Value.Float64s(), 0.0
	for _, v := range w[:180*50] {
		variance += v * v / (180 * 50)
	}
	if math.Abs(variance*180/2-1) > 0.1 {
		t.Errorf("variance %v, want 2/180", variance)
	}
	for _, v := range w[180*50:] {
		if v != 0 {
			t.Errorf("a bias starts at %v", v)
		}
	}
}

// TestImageMistakes looks for the layer's name and the number at fault.
func TestImageMistakes(t *testing.T) {
	conv := func(f func(c *ConvLayer)) *ConvLayer {
		c := Conv(3, 4, 3, apoops.ReLUAct)
		f(c)
		return c
	}
	norm := func(f func(b *BatchNormLayer)) *BatchNormLayer {
		b := BatchNorm(3, apoops.Identity)
		f(b)
		return b
	}
	inner := Residual(BatchNorm(3, apoops.Identity), Conv(3, 4, 3, apoops.Identity))
	projected := Residual(conv(func(c *ConvLayer) { c.Pad = [2]int{1, 1} }))
	projected.Shortcut = []Layer{BatchNorm(3, apoops.Identity), Conv(3, 4, 9, apoops.Identity)}
	for what, c := range map[string]struct {
		layer Layer
		want  []string
	}{
		"no outputs":            {Conv(3, 0, 3, apoops.ReLUAct), []string{"conv0", "0 output channels"}},
		"kernel 0":              {Conv(3, 4, 0, apoops.ReLUAct), []string{"conv0", "kernel [0 0]"}},
		"negative stride":       {conv(func(c *ConvLayer) { c.Stride[1] = -1 }), []string{"conv0", "stride [0 -1]"}},
		"negative padding":      {conv(func(c *ConvLayer) { c.Pad[0] = -2 }), []string{"conv0", "padding [-2 0]"}},
		"negative dilation":     {conv(func(c *ConvLayer) { c.Dilation[0] = -1 }), []string{"conv0", "dilation [-1 0]"}},
		"large kernel":          {Conv(3, 4, 7, apoops.ReLUAct), []string{"conv0", "7"}},
		"other channels":        {Conv(5, 4, 3, apoops.ReLUAct), []string{"conv0", "(2, 3, 6, 6)", "5 channels"}},
		"no activation":         {Conv(3, 4, 3, 99), []string{"conv0"}},
		"nested":                {Residual(inner), []string{"residual0/residual0: ", "(2, 4, 4, 4)"}},
		"shortcut":              {projected, []string{"residual0/shortcut/conv1", "9"}},
		"empty residual":        {Residual(), []string{"residual0", "without layers"}},
		"nil in a residual":     {Residual(nil), []string{"residual0", "layer 0 is nil"}},
		"residual parameters":   {Residual(Conv(3, -1, 3, apoops.ReLUAct)), []string{"residual0/conv0", "-1 output"}},
		"norm of no channels":   {BatchNorm(0, apoops.ReLUAct), []string{"bn0", "0 channels"}},
		"norm of others":        {BatchNorm(5, apoops.ReLUAct), []string{"bn0", "5"}},
		"norm's rate":           {norm(func(b *BatchNormLayer) { b.Rate = 1.5 }), []string{"bn0", "1.5"}},
		"norm's epsilon":        {norm(func(b *BatchNormLayer) { b.Epsilon = -1 }), []string{"bn0", "epsilon -1"}},
		"large pool":            {MaxPool(apoops.Pool{Kernel: [2]int{7, 7}}), []string{"layer 0 (maxpool)", "7"}},
		"subsample":             {Subsample(2, 1), []string{"layer 0 (subsample)", "1 channels"}},
		"dense without Flatten": {Dense(108, 1, apoops.Identity), []string{"dense0", "(2, 3, 6, 6)"}},
	} {
		m := Sequential(c.layer)
		params, err := m.Init(1, tensor.Float64)
		if err == nil || len(params) == 0 && strings.Contains(err.Error(), "no parameters") {
			_, err = built(m, params, graph.BaseRole, tensor.New(tensor.WithShape(2, 3, 6, 6), tensor.Of(tensor.Float64)))
		}
		if err == nil || !strings.HasPrefix(err.Error(), "layers: ") {
			t.Errorf("%s: error %v", what, err)
			continue
		}
		for _, text := range c.want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %q is not in the error %v", what, text, err)
			}
		}
	}
}
