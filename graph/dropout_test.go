package graph

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// droppedNet is a net with two of Gorgonia's dropout layers.
func droppedNet(t *testing.T, rate float64) (*Problem, Batch) {
	t.Helper()
	rng := rand.New(rand.NewPCG(72, 1))
	g := gorgonia.NewGraph()
	node := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(random(rng, 1, shape...)))
	}
	must := gorgonia.Must
	x, w0, w1 := node("x", 20, 8), node("w0", 8, 12), node("w1", 12, 3)
	h := must(gorgonia.Tanh(must(gorgonia.Mul(must(gorgonia.Dropout(x, rate)), w0))))
	y := must(gorgonia.Mul(must(gorgonia.Dropout(h, rate)), w1))
	cost := must(gorgonia.Mean(must(gorgonia.Square(y))))
	q := &Problem{Cost: cost, Output: y, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w0, w1}, Divergence: HalfSquared}
	return q, Batch{X: []*tensor.Dense{x.Value().(*tensor.Dense)}}
}

// TestGorgoniasDropout has the passes share masks: J_B(θ') at θ' = θ is J_B(θ) and
// the discrepancy is 0, in each step with other masks; the gradient is that of the
// masks of its step.
func TestGorgoniasDropout(t *testing.T) {
	q, batch := droppedNet(t, 0.3)
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	masks := apoops.NewRandom(5)
	base, err := NewBase(q, params, batch, masks)
	if err != nil {
		t.Fatal(err)
	}
	look := RateLookahead{Group: []int{0, 0}, Linear: true}
	p, err := NewProximal(ProximalConfig{Source: q, Params: params, Lookahead: look, Batch: batch, Tilde: batch.X, Random: masks})
	if err != nil {
		t.Fatal(err)
	}
	phi, inputs := arraysFor(rand.New(rand.NewPCG(73, 1)), look, params)
	phi[0].Float64s()[0] = 0
	seen := make(map[float64]bool)
	for step := range 3 {
		masks.SetStep(int64(step))
		for _, err := range []error{base.Feed(batch), base.Run(), p.Feed(batch, batch.X), p.FeedWeights(1, 1), p.FeedStep(phi, inputs, 1), p.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if terms := p.Terms(); terms.Loss != base.LossValue() || terms.FSD != 0 || seen[terms.Loss] {
			t.Fatalf("step %d: %+v, J_B(θ) is %v", step, terms, base.LossValue())
		}
		seen[base.LossValue()] = true
	}
	grads, err := base.Grads()
	if err != nil {
		t.Fatal(err)
	}
	var values, copies []*tensor.Dense
	for i, n := range params {
		values, copies = append(values, n.Value), append(copies, grads[i].Clone().(*tensor.Dense))
	}
	checkGradient(t, values, copies, func() float64 {
		if err := base.Run(); err != nil {
			t.Fatal(err)
		}
		return base.LossValue()
	})
	if notes := strings.Join(q.Notes(), "\n"); strings.Count(notes, "draws masks of its own") != 2 || !strings.Contains(notes, "by p instead of 1-p") {
		t.Errorf("notes %q", notes)
	}
}

// TestGorgoniasDropoutRate counts what is dropped, and takes rates of 0 and halves.
func TestGorgoniasDropoutRate(t *testing.T) {
	for _, rate := range []float64{0, 0.2, 0.5} {
		g := gorgonia.NewGraph()
		ones := tensor.Ones(tensor.Float64, 100, 100)
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(100, 100), gorgonia.WithValue(ones))
		w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(100, 100), gorgonia.WithValue(ones.Clone()))
		y := gorgonia.Must(gorgonia.Dropout(gorgonia.Must(gorgonia.HadamardProd(x, w)), rate))
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(y))))
		q := &Problem{Cost: cost, Output: y, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w}, Divergence: HalfSquared}
		params, err := q.LearnableParams()
		if err != nil {
			t.Fatal(err)
		}
		batch := Batch{X: []*tensor.Dense{ones}}
		base, err := NewBase(q, params, batch, apoops.NewRandom(1))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{base.Feed(batch), base.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		kept := base.LossValue() * (1 - rate) * (1 - rate) / 1e4
		if math.Abs(kept-(1-rate)) > 0.015 {
			t.Errorf("rate %v: %.4f of all elements are kept", rate, kept)
		}
		if notes := strings.Join(q.Notes(), "\n"); (rate == 0) != (notes == "") || strings.Contains(notes, "1-p") != (rate == 0.2) {
			t.Errorf("rate %v: notes %q", rate, notes)
		}
	}
}

// TestDropoutsThatAreOne has two of one node, which Gorgonia takes for one.
func TestDropoutsThatAreOne(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(3, 4))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(3, 4), gorgonia.WithInit(gorgonia.GlorotU(1)))
	h := gorgonia.Must(gorgonia.HadamardProd(x, w))
	y := gorgonia.Must(gorgonia.Sub(gorgonia.Must(gorgonia.Dropout(h, 0.5)), gorgonia.Must(gorgonia.Dropout(h, 0.1))))
	q := &Problem{Cost: gorgonia.Must(gorgonia.Sum(y)), Output: y, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w}, Divergence: HalfSquared}
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewBase(q, params, q.Example(), apoops.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(q.Notes(), "\n"); !strings.Contains(notes, "several Dropouts of one node are one") {
		t.Errorf("notes %q", notes)
	}
}
