package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// tokenModel is a model of tokens with one table as the embedding of two inputs and, transposed,
// as the output matrix:
//
//	y = tanh((E[x₀] + E[x₁])·W)·Eᵀ
type tokenModel struct{ vocabulary, width int }

func (m tokenModel) Init(seed uint64, _ tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	return []*Param{
		{Name: "table", Value: random(rng, 0.7, m.vocabulary, m.width)},
		{Name: "w", Value: random(rng, 0.7, m.width, m.width), Matrix: true},
	}, nil
}

func (m tokenModel) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	var rows gorgonia.Nodes
	for _, tokens := range x {
		e, err := apoops.Embed(theta[0], tokens, 1.3, 0)
		if err != nil {
			return nil, err
		}
		rows = append(rows, e)
	}
	sum, err := apoops.Add(rows...)
	if err != nil {
		return nil, err
	}
	h, err := apoops.Linear(sum, theta[1], apoops.TanhAct)
	if err != nil {
		return nil, err
	}
	return apoops.LinearTransposed(h, theta[0])
}

func tokensOf(rows, cols int, v ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))
}

// tokenProblem is a batch of two sentences, padded with 0, and an earlier one.
func tokenProblem(s TokenSettings) problem {
	return problem{
		loss: TokenCrossEntropy(s),
		batch: Batch{
			X: []*tensor.Dense{tokensOf(2, 3, 3, 2, 3, 4, 0, 0), tokensOf(2, 3, 1, 4, 4, 1, 2, 0)},
			T: []*tensor.Dense{tokensOf(2, 3, 4, 4, 2, 2, 5, 0)},
		},
		tilde: []*tensor.Dense{tokensOf(2, 3, 2, 2, 5, 3, 3, 4), tokensOf(2, 3, 1, 0, 0, 1, 5, 3)},
	}
}

// TestSharedTable compares the gradient by a table that is used three times, and the
// meta-gradients, with central differences.
func TestSharedTable(t *testing.T) {
	pr := tokenProblem(TokenSettings{Smoothing: 0.1})
	model := tokenModel{6, 3}
	params, _ := model.Init(1, tensor.Float64)
	source := Objective{Model: model, Loss: pr.loss}
	base, err := NewBase(source, params, pr.batch, nil)
	noErrors(t, err)
	j := func() float64 {
		noErrors(t, base.Feed(pr.batch), base.Run())
		return base.LossValue()
	}
	j()
	g, err := base.Grads()
	noErrors(t, err)
	var theta, grad []*tensor.Dense
	for i, p := range params {
		theta, grad = append(theta, p.Value), append(grad, g[i].Clone().(*tensor.Dense))
	}
	checkGradient(t, theta, grad, j)

	for _, d := range []Divergence{{}, TokenReverseKL(TokenSettings{})} {
		source.Divergence = d
		for _, look := range []Lookahead{RateLookahead{Group: []int{0, 1}}, PrecondLookahead{BlockPerParam(params)}} {
			p, err := NewProximal(ProximalConfig{Source: source, Params: params, Lookahead: look, Batch: pr.batch, Tilde: pr.tilde})
			noErrors(t, err)
			phi, inputs := arraysFor(rand.New(rand.NewPCG(11, 1)), look, params)
			q := func() float64 {
				noErrors(t, p.Feed(pr.batch, pr.tilde), p.FeedWeights(0.7, 0.3), p.FeedStep(phi, inputs, 0.8), p.Run())
				return p.Terms().Q
			}
			q()
			dphi := make([]*tensor.Dense, len(phi))
			for i := range phi {
				dphi[i] = phi[i].Clone().(*tensor.Dense)
			}
			noErrors(t, p.Gradient(dphi))
			for i, d := range dphi {
				dphi[i] = d.Clone().(*tensor.Dense)
			}
			checkGradient(t, phi, dphi, q)
		}
	}
}

// TestRowsWithoutTokens are 0 in the gradient of an embedding, from run to run.
func TestRowsWithoutTokens(t *testing.T) {
	model, loss := lookedUp{tokenModel{6, 3}}, TokenCrossEntropy(TokenSettings{})
	params, _ := model.Init(1, tensor.Float64)
	batch := Batch{X: []*tensor.Dense{tokensOf(2, 2, 1, 2, 3, 3)}, T: []*tensor.Dense{tokensOf(2, 2, 1, 2, 2, 1)}}
	base, err := NewBase(Objective{Model: model, Loss: loss}, params, batch, nil)
	noErrors(t, err)
	for _, tokens := range [][]int{{1, 2, 3, 3}, {4, 4, 5, 0}, {2, 2, 2, 0}} {
		copy(batch.X[0].Ints(), tokens)
		noErrors(t, base.Feed(batch), base.Run())
		g, err := base.Grads()
		noErrors(t, err)
		seen := make(map[int]bool)
		for _, token := range tokens {
			seen[token] = token != 0
		}
		for i, v := range g[0].Float64s() {
			if (v != 0) != seen[i/3] {
				t.Errorf("tokens %v: element %d of row %d is %v", tokens, i%3, i/3, v)
			}
		}
	}
}

// lookedUp is tokenModel with an embedding alone: y = E[x₀]·W.
type lookedUp struct{ tokenModel }

func (m lookedUp) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	rows, err := apoops.Embed(theta[0], x[0], 1, 0)
	if err != nil {
		return nil, err
	}
	return apoops.Linear(rows, theta[1], apoops.Identity)
}

// TestTokenProbesHaveTheHessian is TestProbesHaveTheHessian with padding.
func TestTokenProbesHaveTheHessian(t *testing.T) {
	t.Parallel()
	for _, d := range []Divergence{TokenKL(TokenSettings{}), TokenReverseKL(TokenSettings{Tokens: 1})} {
		old := random(rand.New(rand.NewPCG(5, 7)), 1.5, 4, 2)
		tokens := tokensOf(2, 2, 3, 0, 1, 2)
		inputs := func(g *gorgonia.ExprGraph) gorgonia.Nodes {
			mask := gorgonia.NewTensor(g, tensor.Int, 2, gorgonia.WithName("tokens"), gorgonia.WithShape(2, 2), gorgonia.WithValue(tokens))
			return gorgonia.Nodes{mask, mask}
		}
		q := drawer(t, Divergence{Probe: func(y *gorgonia.Node, _ gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
			return d.Probe(y, inputs(y.Graph()), noise)
		}}, old)
		const draws = 40000
		got := make([]float64, 64)
		for step := range int64(draws) {
			v := q(step)
			for i := range got {
				got[i] += v[i/8] * v[i%8] / draws
			}
		}
		want := hessian(t, Divergence{Build: func(old, moved *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return d.Build(old, moved, inputs(old.Graph()))
		}}, old)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 3e-3 {
				t.Fatalf("%s: element %d of E qqᵀ is %v, of the Hessian %v", d.Name, i, got[i], want[i])
			}
		}
	}
}

// TestTokenLossCounts has the number of targets that count, and asks for inputs.
func TestTokenLossCounts(t *testing.T) {
	pr := tokenProblem(TokenSettings{})
	if n := pr.loss.Count(pr.batch); n != 5 {
		t.Errorf("%d targets count, not 5", n)
	}
	if pr.loss.Counts(0) || !pr.loss.Counts(1) {
		t.Error("padding counts, or a token does not")
	}
	y := leafOf(gorgonia.NewGraph(), random(rand.New(rand.NewPCG(1, 1)), 1, 6, 6), "y")
	for _, s := range []TokenSettings{{}, {Tokens: -1}} {
		if _, err := TokenKL(s).Build(y, y, nil); err == nil {
			t.Error("no error without inputs")
		}
	}
}

// TestProblemHandsOutInputs without the leaves that are fixed, which stand behind them.
func TestProblemHandsOutInputs(t *testing.T) {
	g := gorgonia.NewGraph()
	y := leafOf(g, random(rand.New(rand.NewPCG(1, 1)), 1, 4, 3), "y")
	tokens := gorgonia.NewTensor(g, tensor.Int, 2, gorgonia.WithName("tokens"), gorgonia.WithShape(2, 2))
	for _, q := range []*Problem{{Inputs: gorgonia.Nodes{tokens}, Divergence: TokenKL(TokenSettings{})}, {Divergence: TokenKL(TokenSettings{})}} {
		_, err := q.BuildDiscrepancy(y, y, gorgonia.Nodes{tokens, y})
		if (err == nil) != (len(q.Inputs) == 1) {
			t.Errorf("%d inputs: error %v", len(q.Inputs), err)
		}
	}
}

// TestDrawnTokens have an expected gradient of 0 where the labels are smoothed too.
func TestDrawnTokens(t *testing.T) {
	t.Parallel()
	pr := tokenProblem(TokenSettings{Padding: -1, Smoothing: 0.4})
	model := tokenModel{6, 3}
	params, _ := model.Init(1, tensor.Float64)
	noise := apoops.NewRandom(3)
	p := newProgram(tensor.Float64)
	x := p.inputsLike(pr.batch.X, "x")
	theta, err := p.weights(params, "theta")
	noErrors(t, err)
	loss, err := Objective{Model: model, Loss: pr.loss}.BuildSampledLoss(&Pass{Role: CurvatureRole}, x, theta, noise)
	noErrors(t, err)
	grads, err := differentiate(loss, theta[1:])
	noErrors(t, err)
	noErrors(t, p.compile(grads...), letAll("input", x, pr.batch.X))
	const draws = 20000
	mean, square := make([]float64, 9), make([]float64, 9)
	for step := range int64(draws) {
		noise.SetStep(step)
		noErrors(t, p.Run())
		for i, v := range grads[0].Value().(*tensor.Dense).Float64s() {
			mean[i] += v / draws
			square[i] += v * v / draws
		}
	}
	for i, m := range mean {
		if math.Abs(m) > 5*math.Sqrt(square[i]/draws) {
			t.Errorf("element %d: mean gradient %v, root mean square %v", i, m, math.Sqrt(square[i]))
		}
	}
}

func noErrors(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
