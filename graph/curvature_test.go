package graph

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// example is row i of a batch as a batch of one.
func example(b Batch, i int) Batch {
	row := func(a *tensor.Dense) *tensor.Dense {
		if a.Dtype() == tensor.Int {
			return tensor.New(tensor.WithShape(1), tensor.WithBacking(a.Ints()[i:i+1]))
		}
		cols := a.Shape()[1]
		return tensor.New(tensor.WithShape(1, cols), tensor.WithBacking(a.Float64s()[i*cols:(i+1)*cols]))
	}
	return NewBatch(row(b.X[0]), row(b.T[0]))
}

// exampleGradients are the gradients of single examples, by example and
// parameter, from a graph for batches of one.
func exampleGradients(t *testing.T, src Source, params []*Param, b Batch) [][][]float64 {
	t.Helper()
	base, err := NewBase(src, params, example(b, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	all := make([][][]float64, b.Len())
	for i := range all {
		for _, err := range []error{base.Feed(example(b, i)), base.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		g, err := base.Grads()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range g {
			all[i] = append(all[i], append([]float64(nil), d.Float64s()...))
		}
	}
	return all
}

// TestCurvatureEqualsExamples compares Ā, Ḡ and D with sums over the gradients of
// single examples, ā·sᵀ, whose last row is s and whose columns are ā times an
// element of s.
func TestCurvatureEqualsExamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	model := mlp{widths: []int{3, 4, 2}, act: apoops.TanhAct}
	params, _ := model.Init(1, tensor.Float64)
	for _, p := range problems(rng, 3, 2) {
		src := Objective{Model: model, Loss: p.loss}
		blocks := BlockPerParam(params)
		k, err := NewCurvature(CurvatureConfig{Source: src, Params: params, Blocks: blocks, Batch: p.batch, Squares: true})
		if err != nil {
			t.Fatal(err)
		}
		each := exampleGradients(t, src, params, p.batch)
		var bases [][2]*tensor.Dense
		for i, b := range blocks {
			u := [2]*tensor.Dense{random(rng, 1, b.Rows, b.Rows), random(rng, 1, b.Cols, b.Cols)}
			bases = append(bases, u)
			if err := k.SetBases(i, u[0], u[1]); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{k.Feed(p.batch), k.RunFor(true, true)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, b := range blocks {
			n, m := b.Rows, b.Cols
			wantA, wantG, wantD := make([]float64, n*n), make([]float64, m*m), make([]float64, n*m)
			share := 1 / float64(len(each))
			for _, e := range each {
				w := e[i]
				s := w[(n-1)*m:]
				for r := range n {
					for c := range n {
						wantA[r*n+c] += share * w[r*m] / s[0] * w[c*m] / s[0]
					}
				}
				for r := range m {
					for c := range m {
						wantG[r*m+c] += share * s[r] * s[c]
					}
				}
				ua, ug := bases[i][0].Float64s(), bases[i][1].Float64s()
				for r := range n {
					for c := range m {
						var x float64
						for j := range n {
							for l := range m {
								x += ua[r*n+j] * w[j*m+l] * ug[c*m+l]
							}
						}
						wantD[r*m+c] += share * x * x
					}
				}
			}
			a, g, err := k.Moments(i)
			if err != nil {
				t.Fatal(err)
			}
			d, err := k.Squares(i)
			if err != nil {
				t.Fatal(err)
			}
			near(t, p.loss.Name+" Ā", a.Float64s(), wantA)
			near(t, p.loss.Name+" Ḡ", g.Float64s(), wantG)
			near(t, p.loss.Name+" D", d.Float64s(), wantD)
		}
	}
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	var scale float64
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= 1e-10*scale) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// TestCurvatureLeavesGradientsOut looks for values that the program never
// computed, and for work that a switch leaves out.
func TestCurvatureLeavesGradientsOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	model := mlp{widths: []int{3, 4, 2}, act: apoops.TanhAct}
	params, _ := model.Init(1, tensor.Float64)
	p := problems(rng, 3, 2)[0]
	k, err := NewCurvature(CurvatureConfig{Source: Objective{Model: model, Loss: p.loss}, Params: params, Blocks: BlockPerParam(params), Batch: p.batch})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{k.Feed(p.batch), k.RunFor(true, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	products := 0
	for _, n := range k.g.AllNodes() {
		if _, ok := factorsOf(n); ok {
			products++
			if n.Value() != nil {
				t.Errorf("%v was computed", n.Op())
			}
		}
	}
	if products != 2 {
		t.Errorf("%d gradients of weights in the graph, not 2", products)
	}
	a, _, err := k.Moments(0)
	if err != nil {
		t.Fatal(err)
	}
	before := append([]float64(nil), a.Float64s()...)
	p.batch.X[0].Float64s()[0] += 1
	for _, err := range []error{k.Feed(p.batch), k.RunFor(false, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	near(t, "Ā switched off", a.Float64s(), before)
	if err := k.RunFor(true, false); err != nil {
		t.Fatal(err)
	}
	if a.Float64s()[0] == before[0] {
		t.Error("Ā did not change with the batch")
	}
}

// TestSampledFisherTendsToExact averages Ḡ of one layer over many draws. The exact
// one is the mean over the examples of diag(p) - ppᵀ, diag(p(1-p)) or I.
func TestSampledFisherTendsToExact(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many targets")
	}
	rng := rand.New(rand.NewPCG(5, 4))
	model := mlp{widths: []int{2, 3}}
	params, _ := model.Init(2, tensor.Float64)
	exact := map[string]func(y []float64) []float64{
		SoftmaxCrossEntropy.Name: func(y []float64) []float64 {
			var sum float64
			p, f := make([]float64, 3), make([]float64, 9)
			for i, v := range y {
				p[i] = math.Exp(v)
				sum += p[i]
			}
			for i := range 3 {
				f[i*3+i] = p[i] / sum
				for j := range 3 {
					f[i*3+j] -= p[i] * p[j] / sum / sum
				}
			}
			return f
		},
		BernoulliCrossEntropy.Name: func(y []float64) []float64 {
			f := make([]float64, 9)
			for i, v := range y {
				p := 1 / (1 + math.Exp(-v))
				f[i*3+i] = p * (1 - p)
			}
			return f
		},
		SquaredError.Name: func([]float64) []float64 { return []float64{1, 0, 0, 0, 1, 0, 0, 0, 1} },
	}
	for _, p := range problems(rng, 2, 3) {
		noise := apoops.NewRandom(11)
		k, err := NewCurvature(CurvatureConfig{Source: Objective{Model: model, Loss: p.loss}, Params: params, Blocks: BlockPerParam(params), Batch: p.batch, Noise: noise})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Feed(Batch{X: p.batch.X}); err != nil {
			t.Fatal(err)
		}
		const draws = 4000
		got, want := make([]float64, 9), make([]float64, 9)
		for step := range draws {
			noise.SetStep(int64(step))
			if err := k.RunFor(true, false); err != nil {
				t.Fatal(err)
			}
			_, g, err := k.Moments(0)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range g.Float64s() {
				got[i] += v / draws
			}
		}
		w, x := params[0].Value.Float64s(), p.batch.X[0].Float64s()
		for i := range 6 {
			y := make([]float64, 3)
			for j := range y {
				y[j] = x[2*i]*w[j] + x[2*i+1]*w[3+j] + w[6+j]
			}
			for j, v := range exact[p.loss.Name](y) {
				want[j] += v / 6
			}
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 0.04 { // standard error at most 0.01
				t.Errorf("%s: element %d of Ḡ is %v after %d draws, exactly %v", p.loss.Name, i, got[i], draws, want[i])
			}
		}
	}
}

// TestCurvatureOfStockGraph compares a graph of Gorgonia's own ops, with pairs of
// weight and bias, with the same model of package apoops.
func TestCurvatureOfStockGraph(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 4))
	model := mlp{widths: []int{3, 4, 2}, act: apoops.TanhAct}
	params, _ := model.Init(1, tensor.Float64)
	p := problems(rng, 3, 2)[0]
	want, err := NewCurvature(CurvatureConfig{Source: Objective{Model: model, Loss: p.loss}, Params: params, Blocks: BlockPerParam(params), Batch: p.batch})
	if err != nil {
		t.Fatal(err)
	}

	g := gorgonia.NewGraph()
	leaf := func(name string, v *tensor.Dense) *gorgonia.Node {
		return gorgonia.NewTensor(g, v.Dtype(), v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(v))
	}
	x, y := leaf("x", p.batch.X[0]), leaf("y", p.batch.T[0])
	q := &Problem{Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Sample: p.loss.Sample}
	h := x
	for i, v := range params {
		n, m := v.Value.Shape()[0]-1, v.Value.Shape()[1]
		data := v.Value.Float64s()
		w := leaf(v.Name+"w", tensor.New(tensor.WithShape(n, m), tensor.WithBacking(append([]float64(nil), data[:n*m]...))))
		b := leaf(v.Name+"b", tensor.New(tensor.WithShape(1, m), tensor.WithBacking(append([]float64(nil), data[n*m:]...))))
		q.Params, q.Pairs = append(q.Params, w, b), append(q.Pairs, Pair{w, b})
		h = gorgonia.Must(gorgonia.BroadcastAdd(gorgonia.Must(gorgonia.Mul(h, w)), b, nil, []byte{0}))
		if i == 0 {
			h = gorgonia.Must(gorgonia.Tanh(h))
		}
	}
	q.Output = h
	if q.Cost, err = p.loss.Build(h, q.Targets); err != nil {
		t.Fatal(err)
	}
	own, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := q.Blocks(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, sampled := range []bool{false, true} {
		var noise *apoops.Random
		if sampled {
			noise = apoops.NewRandom(4)
		}
		got, err := NewCurvature(CurvatureConfig{Source: q, Params: own, Blocks: blocks, Batch: p.batch, Noise: noise})
		if err != nil {
			t.Fatal(err)
		}
		if sampled {
			if want, err = NewCurvature(CurvatureConfig{Source: Objective{Model: model, Loss: p.loss}, Params: params, Blocks: BlockPerParam(params), Batch: p.batch, Noise: noise}); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{got.Feed(p.batch), want.Feed(p.batch), got.RunFor(true, false), want.RunFor(true, false)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range blocks {
			ga, gg, err := got.Moments(i)
			if err != nil {
				t.Fatal(err)
			}
			wa, wg, err := want.Moments(i)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "Ā", ga.Float64s(), wa.Float64s())
			near(t, "Ḡ", gg.Float64s(), wg.Float64s())
		}
	}
}

// tied uses its weights twice.
type tied struct{ mlp }

func (m tied) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	y, err := apoops.Dense(x[0], theta[0], apoops.TanhAct)
	if err != nil {
		return nil, err
	}
	return apoops.Dense(y, theta[0], apoops.Identity)
}

func TestCurvatureRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 4))
	p := problems(rng, 3, 3)[0]
	model := tied{mlp{widths: []int{3, 3}}}
	params, _ := model.Init(1, tensor.Float64)
	c := CurvatureConfig{Source: Objective{Model: model, Loss: p.loss}, Params: params, Blocks: BlockPerParam(params), Batch: p.batch}
	if _, err := NewCurvature(c); err == nil || !strings.Contains(err.Error(), "no Kronecker factors") {
		t.Errorf("weights used twice: %v", err)
	}
	p.loss.Sample = nil
	c.Source, c.Noise = Objective{Model: model.mlp, Loss: p.loss}, apoops.NewRandom(1)
	if _, err := NewCurvature(c); !errors.Is(err, ErrNoSample) || !strings.Contains(err.Error(), p.loss.Name) {
		t.Errorf("a loss without Sample: %v", err)
	}
}
