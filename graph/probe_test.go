package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// probeCase is a source whose Probe is compared with differences.
type probeCase struct {
	name   string
	source Source
	params []*Param
	blocks []Block
	x      []*tensor.Dense
	signs  int // of all outputs
	random *apoops.Random
	// approximate are the blocks whose rows leave terms out.
	approximate map[string]bool
	diagonal    map[string]bool // the blocks without rows
}

// TestProbeHasTheGaussNewtonMatrix averages x·xᵀ ⊗ z·zᵀ and h²/b' over all patterns of
// signs, without error, and compares with the Hessian of the mean discrepancy in θ'
// by differences, block by block.
func TestProbeHasTheGaussNewtonMatrix(t *testing.T) {
	for _, c := range probeCases(t) {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

func probeCases(t *testing.T) (cases []probeCase) {
	rng := rand.New(rand.NewPCG(8, 9))
	net := mlp{widths: []int{2, 3, 2}, act: apoops.TanhAct}
	params, _ := net.Init(3, tensor.Float64)
	for _, d := range divergences {
		src := Objective{Model: net, Loss: SquaredError, Divergence: d}
		cases = append(cases, probeCase{name: "dense, " + d.Name, source: src, params: params, signs: 4, x: []*tensor.Dense{random(rng, 1, 2, 2)}})
	}
	dropped := net
	dropped.dropout = 0.4
	cases = append(cases, probeCase{name: "dropout", source: Objective{Model: dropped, Loss: SoftmaxCrossEntropy}, params: params,
		signs: 4, x: []*tensor.Dense{random(rng, 1, 2, 2)}, random: apoops.NewRandom(4)})
	conv := convolved{}
	convParams, _ := conv.Init(2, tensor.Float64)
	cases = append(cases, probeCase{name: "one patch", source: Objective{Model: conv, Loss: SquaredError}, params: convParams,
		signs: 4, x: []*tensor.Dense{random(rng, 1, 2, 2, 2, 2)}})
	norm := residual{classes: 2}
	normParams, _ := norm.Init(5, tensor.Float64)
	cases = append(cases, probeCase{name: "batch norm", source: Objective{Model: norm, Loss: SoftmaxCrossEntropy}, params: normParams,
		signs: 4, x: []*tensor.Dense{random(rng, 1, 2, 2, 4, 4)},
		approximate: map[string]bool{"conv0": true, "conv1": true, "conv2": true},
		diagonal:    map[string]bool{"bn0/scale": true, "bn0/shift": true, "bn1/scale": true, "bn1/shift": true}})
	return append(cases, userProbe(t, rng, false), userProbe(t, rng, true), userFilters(t, rng))
}

// convolved is a convolution with an activation whose kernel is as large as the image,
// and a dense layer.
type convolved struct{}

func (convolved) Init(seed uint64, _ tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	return []*Param{
		{Name: "conv", Value: random(rng, 0.6, 9, 2), Matrix: true},
		{Name: "dense", Value: random(rng, 0.6, 3, 2), Matrix: true},
		{Name: "scale", Value: random(rng, 0.6, 2, 2)},
		{Name: "idle", Value: random(rng, 0.6, 3)},
	}, nil
}

func (convolved) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	h, err := apoops.Conv2D(x[0], theta[0], apoops.Conv{Kernel: [2]int{2, 2}, Activation: apoops.TanhAct})
	if err != nil {
		return nil, err
	}
	if h, err = apoops.Reshape(h, 2, 2); err != nil {
		return nil, err
	}
	if h, err = apoops.Dense(h, theta[1], apoops.Identity); err != nil {
		return nil, err
	}
	return apoops.Product(h, theta[2])
}

// userProbe is a net of Gorgonia's own ops, with pairs of weights and biases. Standing
// alone it is rebuilt from a Standalone.
func userProbe(t *testing.T, rng *rand.Rand, alone bool) probeCase {
	t.Helper()
	g := gorgonia.NewGraph()
	must := gorgonia.Must
	node := func(name string, shape ...int) *gorgonia.Node {
		return leafOf(g, random(rng, 0.7, shape...), name)
	}
	x, y := node("x", 2, 2), node("y", 2, 2)
	w0, b0, w1, b1 := node("w0", 2, 3), node("b0", 1, 3), node("w1", 3, 2), node("b1", 1, 2)
	layer := func(x, w, b *gorgonia.Node) *gorgonia.Node {
		return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
	}
	out := layer(must(gorgonia.Tanh(layer(x, w0, b0))), w1, b1)
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(out, y))))))
	q := &Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Divergence: BernoulliKL,
		Params: gorgonia.Nodes{w0, b0, w1, b1}, Pairs: []Pair{{w0, b0}, {w1, b1}}}
	c := probeCase{name: "user's graph", source: q, signs: 4, x: []*tensor.Dense{random(rng, 1, 2, 2)}}
	return c.ofProblem(t, q, alone)
}

// userFilters is a convolution of Gorgonia's own, as large as the image.
func userFilters(t *testing.T, rng *rand.Rand) probeCase {
	t.Helper()
	g := gorgonia.NewGraph()
	must := gorgonia.Must
	node := func(name string, shape ...int) *gorgonia.Node {
		return leafOf(g, random(rng, 0.7, shape...), name)
	}
	x, y := node("x", 2, 2, 2, 2), node("y", 2, 2)
	filter, bias, w := node("filter", 3, 2, 2, 2), node("bias", 1, 3, 1, 1), node("w", 3, 2)
	h := must(gorgonia.Conv2d(x, filter, tensor.Shape{2, 2}, []int{0, 0}, []int{1, 1}, []int{1, 1}))
	h = must(gorgonia.Tanh(must(gorgonia.BroadcastAdd(h, bias, nil, []byte{0, 2, 3}))))
	out := must(gorgonia.Mul(must(gorgonia.Reshape(h, tensor.Shape{2, 3})), w))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(out, y))))))
	q := &Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Divergence: HalfSquared,
		Params: gorgonia.Nodes{filter, bias, w}, Filters: gorgonia.Nodes{filter}}
	c := probeCase{name: "user's filters", source: q, signs: 4, x: []*tensor.Dense{random(rng, 1, 2, 2, 2, 2)},
		diagonal: map[string]bool{"bias": true}}
	return c.ofProblem(t, q, false)
}

func (c probeCase) ofProblem(t *testing.T, q *Problem, alone bool) probeCase {
	t.Helper()
	s, err := NewStandalone(q)
	if err != nil {
		t.Fatal(err)
	}
	if alone {
		c.name, c.source = c.name+", alone", s
	}
	if c.params, err = s.AllParams(); err != nil {
		t.Fatal(err)
	}
	if c.blocks, err = q.Blocks(c.params); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c probeCase) check(t *testing.T) {
	if c.blocks == nil {
		c.blocks = BlockPerParam(c.params)
	}
	noise := apoops.NewRandom(12)
	k, err := NewProbe(ProbeConfig{Source: c.source, Params: c.params, Blocks: c.blocks, Batch: Batch{X: c.x}, Positions: 99, Random: c.random, Noise: noise})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Feed(Batch{X: c.x}); err != nil {
		t.Fatal(err)
	}
	patterns := make(map[string][][]float64)
	for step := int64(0); len(patterns) < 1<<c.signs && step < 1000; step++ {
		noise.SetStep(step)
		if err := k.Run(); err != nil {
			t.Fatal(err)
		}
		key, f := k.outerProducts(t, c.blocks)
		patterns[key] = f
	}
	if len(patterns) != 1<<c.signs {
		t.Fatalf("%d patterns of %d signs", len(patterns), c.signs)
	}
	if c.name == "user's filters" {
		checkLeftOut(t, k, 2)
	}
	for i, b := range c.blocks {
		if k.HasRows(i) == (c.diagonal[b.Name] || !c.blocks[i].Matrix) {
			t.Errorf("%s: rows: %v", b.Name, k.HasRows(i))
		}
		if c.approximate[b.Name] {
			continue
		}
		got := make([]float64, len(patterns[anyKey(patterns)][i]))
		for _, f := range patterns {
			for j, v := range f[i] {
				got[j] += v / float64(len(patterns))
			}
		}
		want := c.hessian(t, b)
		if !k.HasRows(i) {
			want = diagonalOf(want)
		}
		closeTo(t, b.Name, got, want, 1e-5)
	}
}

func anyKey[V any](m map[string]V) string {
	for k := range m {
		return k
	}
	return ""
}

func diagonalOf(m []float64) []float64 {
	n := int(math.Sqrt(float64(len(m))))
	d := make([]float64, n)
	for i := range d {
		d[i] = m[i*n+i]
	}
	return d
}

func closeTo(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, not %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tolerance) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// outerProducts are, of the last run, 1/n Σ x·xᵀ ⊗ z·zᵀ or the diagonal of each block,
// and a text that tells runs apart.
func (k *Probe) outerProducts(t *testing.T, blocks []Block) (key string, f [][]float64) {
	t.Helper()
	for i := range blocks {
		if !k.HasRows(i) {
			d, err := k.Squares(i)
			if err != nil {
				t.Fatal(err)
			}
			f = append(f, append([]float64(nil), d.Float64s()...))
			continue
		}
		x, z, err := k.Rows(i)
		if err != nil {
			t.Fatal(err)
		}
		key += fmt.Sprintf("%.7g ", z.Float64s())
		f = append(f, kronecker(x, z))
	}
	return key, f
}

func kronecker(x, z *tensor.Dense) []float64 {
	n, rows, cols := x.Shape()[0], x.Shape()[1], z.Shape()[1]
	size := rows * cols
	f := make([]float64, size*size)
	for r := range n {
		g := make([]float64, size)
		for i := range rows {
			for j := range cols {
				g[i*cols+j] = x.Float64s()[r*rows+i] * z.Float64s()[r*cols+j]
			}
		}
		for i, v := range g {
			for j, w := range g {
				f[i*size+j] += v * w / float64(n)
			}
		}
	}
	return f
}

// hessian is that of the mean discrepancy at θ' = θ by the elements of a block, by
// differences.
func (c probeCase) hessian(t *testing.T, b Block) []float64 {
	t.Helper()
	g := gorgonia.NewGraph()
	var x, theta gorgonia.Nodes
	for i, v := range c.x {
		x = append(x, leafOf(g, v, fmt.Sprint("x", i)))
	}
	var at []*float64 // the block's elements
	for _, p := range c.params {
		theta = append(theta, leafOf(g, p.Value.Clone().(*tensor.Dense), p.Name))
	}
	learned := learnedOf(c.params, theta)
	for _, i := range b.Params {
		v := learned[i].Value().(*tensor.Dense).Float64s()
		for j := range v {
			at = append(at, &v[j])
		}
	}
	y, err := c.source.BuildOutput(&Pass{Role: CurvatureRole, Random: c.random}, x, theta)
	if err != nil {
		t.Fatal(err)
	}
	old := gorgonia.NewTensor(g, tensor.Float64, y.Dims(), gorgonia.WithShape(y.Shape()...), gorgonia.WithName("old"), gorgonia.WithInit(gorgonia.Zeroes()))
	d, err := c.source.BuildDiscrepancy(old, y, x)
	if err != nil {
		t.Fatal(err)
	}
	var value, output gorgonia.Value
	gorgonia.Read(d, &value)
	gorgonia.Read(y, &output)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	run := func() float64 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		return scalar(value)
	}
	run()
	if err := gorgonia.Let(old, output.(*tensor.Dense).Clone().(*tensor.Dense)); err != nil {
		t.Fatal(err)
	}
	const h = 2e-4
	n := len(at)
	hess := make([]float64, n*n)
	for i := range n {
		for j := range n {
			for _, s := range [][2]float64{{h, h}, {h, -h}, {-h, h}, {-h, -h}} {
				*at[i] += s[0]
				*at[j] += s[1]
				hess[i*n+j] += run() * s[0] * s[1] / (4 * h * h * h * h)
				*at[j] -= s[1]
				*at[i] -= s[0]
			}
		}
	}
	return hess
}

// twofold uses one matrix twice, or two of the same values.
type twofold struct{ copies int }

func (m twofold) Init(seed uint64, _ tensor.Dtype) ([]*Param, error) {
	w := random(rand.New(rand.NewPCG(seed, 1)), 0.7, 3, 2)
	params := []*Param{{Name: "w", Value: w, Matrix: true}}
	if m.copies == 2 {
		params = append(params, &Param{Name: "w2", Value: w.Clone().(*tensor.Dense), Matrix: true})
	}
	return params, nil
}

func (m twofold) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	h, err := apoops.Dense(x[0], theta[0], apoops.TanhAct)
	if err != nil {
		return nil, err
	}
	return apoops.Dense(h, theta[m.copies-1], apoops.Identity)
}

// TestProbeOfSharedWeights: the rows of weights that are used twice are those of two
// matrices together.
func TestProbeOfSharedWeights(t *testing.T) {
	x := []*tensor.Dense{random(rand.New(rand.NewPCG(3, 3)), 1, 4, 2)}
	var f [3][][]float64
	for copies := 1; copies <= 2; copies++ {
		params, _ := twofold{copies}.Init(1, tensor.Float64)
		blocks := BlockPerParam(params)
		k, err := NewProbe(ProbeConfig{Source: Objective{Model: twofold{copies}, Loss: BernoulliCrossEntropy}, Params: params,
			Blocks: blocks, Batch: Batch{X: x}, Noise: apoops.NewRandom(6)})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{k.Feed(Batch{X: x}), k.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		_, f[copies] = k.outerProducts(t, blocks)
	}
	want := make([]float64, 36)
	for i := range want {
		want[i] = f[2][0][i] + f[2][1][i]
	}
	closeTo(t, "shared weights", f[1][0], want, 1e-12)
}

// TestProbeLeavesGradientsOut looks for products of whole gradients that the program
// computed where there are rows.
func TestProbeLeavesGradientsOut(t *testing.T) {
	model := residual{classes: 2}
	params, _ := model.Init(5, tensor.Float64)
	x := []*tensor.Dense{random(rand.New(rand.NewPCG(3, 3)), 1, 6, 2, 4, 4)}
	k, err := NewProbe(ProbeConfig{Source: Objective{Model: model, Loss: SoftmaxCrossEntropy}, Params: params,
		Blocks: BlockPerParam(params), Batch: Batch{X: x}, Noise: apoops.NewRandom(6)})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{k.Feed(Batch{X: x}), k.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	checkLeftOut(t, k, 4)
	if rows, _, err := k.Rows(0); err != nil || rows.Shape()[0] != 6 {
		t.Errorf("rows of a convolution: %v, %v", rows.Shape(), err)
	}
}

// checkLeftOut looks for gradients of weights, of which there are so many in the graph,
// that were computed.
func checkLeftOut(t *testing.T, k *Probe, want int) {
	t.Helper()
	products := 0
	for _, n := range k.g.AllNodes() {
		if n.Op() == nil {
			continue
		}
		if _, ok := fusedFactorsOf(n); ok {
			products++
			if n.Value() != nil {
				t.Errorf("%v was computed", n.Op())
			}
		}
	}
	if products != want {
		t.Errorf("%d gradients of weights in the graph, not %d", products, want)
	}
}

// TestProbeOfFirstExamples feeds a batch that is longer than B'.
func TestProbeOfFirstExamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	model := mlp{widths: []int{3, 2}}
	params, _ := model.Init(1, tensor.Float64)
	x := random(rng, 1, 5, 3)
	first, err := NewBatch(x, random(rng, 1, 5, 2)).First(2)
	if err != nil || first.Len() != 2 || first.T[0].Shape()[0] != 2 || &first.X[0].Float64s()[0] != &x.Float64s()[0] {
		t.Fatalf("first examples: %v, %v", first, err)
	}
	k, err := NewProbe(ProbeConfig{Source: Objective{Model: model, Loss: SquaredError}, Params: params, Blocks: BlockPerParam(params),
		Batch: first, Noise: apoops.NewRandom(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{k.Feed(Batch{X: []*tensor.Dense{x}}), k.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, _, err := k.Rows(0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		for j := range 3 {
			if rows.Float64s()[i*4+j] != x.Float64s()[i*3+j] {
				t.Fatalf("rows %v of inputs %v", rows, x)
			}
		}
	}
	if _, err := first.First(3); err == nil {
		t.Error("three of two examples")
	}
	if err := k.Feed(Batch{X: []*tensor.Dense{random(rng, 1, 1, 3)}}); err == nil {
		t.Error("a batch of one example for two")
	}
}

// TestProbeWithoutProbe: targets are drawn for a divergence without directions, and
// an error says if there is no distribution either.
func TestProbeWithoutProbe(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	model := mlp{widths: []int{2, 2}}
	params, _ := model.Init(1, tensor.Float64)
	plain := Divergence{Name: "plain", Build: CategoricalKL.Build}
	x := []*tensor.Dense{random(rng, 1, 3, 2)}
	noise := apoops.NewRandom(3)
	config := ProbeConfig{Source: Objective{Model: model, Loss: SoftmaxCrossEntropy, Divergence: plain}, Params: params,
		Blocks: BlockPerParam(params), Batch: Batch{X: x}, Noise: noise}
	k, err := NewProbe(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Feed(config.Batch); err != nil {
		t.Fatal(err)
	}
	const draws = 4000
	got := make([]float64, 36)
	for step := range draws {
		noise.SetStep(int64(step))
		if err := k.Run(); err != nil {
			t.Fatal(err)
		}
		_, f := k.outerProducts(t, config.Blocks)
		for i, v := range f[0] {
			got[i] += v / draws
		}
	}
	c := probeCase{source: config.Source, params: params, x: x}
	closeTo(t, "Fisher matrix", got, c.hessian(t, config.Blocks[0]), 0.02) // standard error 0.005
	config.Source = Objective{Model: model, Loss: Loss{Name: "l", Build: SoftmaxCrossEntropy.Build}, Divergence: plain}
	if _, err := NewProbe(config); !errors.Is(err, ErrNoProbe) {
		t.Errorf("no Probe and no Sample: %v", err)
	}
}
