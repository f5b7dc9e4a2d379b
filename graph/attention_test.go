package graph

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// textNet is a user's graph of the ops for text: it classifies the tokens of sentences
// of different lengths.
func textNet(t *testing.T, dropout float64) (*Problem, Batch) {
	t.Helper()
	const sentences, length, width, vocabulary = 3, 4, 6, 9
	rng := rand.New(rand.NewPCG(90, 1))
	g := gorgonia.NewGraph()
	weights := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(random(rng, 0.7, shape...)))
	}
	integers := func(name string, v []int, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Int, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
	}
	must := gorgonia.Must
	tokens := integers("tokens", []int{3, 1, 8, 2, 4, 0, 0, 0, 5, 5, 7, 0}, sentences, length)
	classes := integers("classes", []int{0, 2, 1, 1, 0, 2, 2, 1, 0, 0, 1, 2}, sentences*length)
	table, q, k := weights("table", vocabulary, width), weights("q", width+1, width), weights("k", width+1, width)
	gain, shift, output := weights("gain", width), weights("shift", width), weights("output", width, 3)
	x := must(apoops.AddPositions(must(apoops.Embed(table, tokens, 2, 0)), length, 1))
	s := apoops.AttentionSettings{Examples: sentences, Heads: 2, Causal: true, Dropout: dropout, Random: apoops.NewRandom(1), Stream: 1}
	h := must(apoops.Attention(must(apoops.Dense(x, q, apoops.Identity)), must(apoops.Dense(x, k, apoops.Identity)), x, must(apoops.Lengths(tokens, 0)), s))
	y := must(apoops.Linear(must(apoops.LayerNorm(must(apoops.Add(x, h)), gain, shift, 1e-5)), output, apoops.Identity))
	p := &Problem{
		Cost: must(apoops.SoftmaxCrossEntropy(y, classes)), Output: y, Inputs: gorgonia.Nodes{tokens}, Targets: gorgonia.Nodes{classes},
		Params: gorgonia.Nodes{table, q, k, gain, shift, output}, Divergence: CategoricalKL,
	}
	return p, Batch{X: []*tensor.Dense{tokens.Value().(*tensor.Dense)}, T: []*tensor.Dense{classes.Value().(*tensor.Dense)}}
}

// TestUsersAttention rebuilds a user's graph of the ops for text: the loss and the
// gradient are right, all passes share the masks of dropout on the weights of attention,
// and evaluation has none.
func TestUsersAttention(t *testing.T) {
	q, batch := textNet(t, 0.4)
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	masks := apoops.NewRandom(5)
	base, err := NewBase(q, params, batch, masks)
	if err != nil {
		t.Fatal(err)
	}
	look := RateLookahead{Group: make([]int, len(params)), Linear: true}
	p, err := NewProximal(ProximalConfig{Source: q, Params: params, Lookahead: look, Batch: batch, Tilde: batch.X, Random: masks})
	if err != nil {
		t.Fatal(err)
	}
	phi, inputs := arraysFor(rand.New(rand.NewPCG(90, 2)), look, params)
	phi[0].Float64s()[0] = 0
	for _, err := range []error{base.Feed(batch), base.Run(), p.Feed(batch, batch.X), p.FeedWeights(1, 1), p.FeedStep(phi, inputs, 1), p.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if terms := p.Terms(); terms.Loss != base.LossValue() || terms.FSD != 0 {
		t.Fatalf("%+v, J_B(θ) is %v", terms, base.LossValue())
	}
	grads, err := base.Grads()
	if err != nil {
		t.Fatal(err)
	}
	var values, copies []*tensor.Dense
	for i, n := range params {
		values, copies = append(values, n.Value), append(copies, grads[i].Clone().(*tensor.Dense))
	}
	dropped := base.LossValue()
	checkGradient(t, values, copies, func() float64 {
		if err := base.Run(); err != nil {
			t.Fatal(err)
		}
		return base.LossValue()
	})

	s, err := NewStandalone(q)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEvaluation(s, params, batch)
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := textNet(t, 0)
	vm := gorgonia.NewTapeMachine(plain.Cost.Graph())
	defer vm.Close()
	for _, err := range []error{e.Feed(batch), e.Run(), vm.RunAll()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := plain.Cost.Value().Data().(float64); e.LossValue() != want || dropped == want {
		t.Fatalf("the loss in evaluation is %v, in training %v; without dropout it is %v", e.LossValue(), dropped, want)
	}
}
