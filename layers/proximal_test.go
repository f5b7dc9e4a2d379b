package layers

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// smoothNet has a layer of each kind, for images 2×5×5, and no kinks that central
// differences could bridge but those of max pooling.
func smoothNet() *Model {
	strided := Conv(3, 4, 3, apoops.Identity)
	strided.Pad, strided.Stride, strided.NoBias = [2]int{1, 1}, [2]int{2, 2}, true
	keep := Conv(3, 3, 3, apoops.Identity)
	keep.Pad, keep.NoBias = [2]int{1, 1}, true
	dilated := Conv(4, 3, 2, apoops.SigmoidAct)
	dilated.Dilation, dilated.Pad = [2]int{2, 1}, [2]int{1, 0}
	identity := Residual(keep, BatchNorm(3, apoops.Identity))
	identity.Activation = apoops.TanhAct
	padded := Residual(strided, BatchNorm(4, apoops.TanhAct))
	padded.Activation, padded.Shortcut = apoops.TanhAct, []Layer{Subsample(2, 4)}
	projected := &ResidualLayer{Main: []Layer{BatchNorm(4, apoops.TanhAct)}, Shortcut: []Layer{Conv(4, 4, 1, apoops.TanhAct)}}
	return Sequential(
		Conv(2, 3, 2, apoops.TanhAct), identity, padded, projected, Dropout(0.2), dilated,
		MaxPool(apoops.Pool{Kernel: [2]int{2, 1}}), Flatten(), Dense(3*1*1, 3, apoops.Identity),
	)
}

// arrays are normal numbers in the shapes of others.
func arrays(rng *rand.Rand, scale float64, shapes ...tensor.Shape) (all []*tensor.Dense) {
	for _, s := range shapes {
		v := make([]float64, s.TotalSize())
		for i := range v {
			v[i] = scale * rng.NormFloat64()
		}
		all = append(all, tensor.New(tensor.WithShape(s...), tensor.WithBacking(v)))
	}
	return all
}

func clones(all []*tensor.Dense) (c []*tensor.Dense) {
	for _, a := range all {
		c = append(c, a.Clone().(*tensor.Dense))
	}
	return c
}

// checkGradient compares a gradient with central differences of f by about so many
// elements of each array of x, to 1e-6 of the array's largest.
func checkGradient(t *testing.T, what string, some int, x, gradient []*tensor.Dense, f func() float64) {
	t.Helper()
	const h = 1e-5
	for i, a := range x {
		v, g := a.Float64s(), gradient[i].Float64s()
		largest := 1e-3
		for _, d := range g {
			largest = max(largest, math.Abs(d))
		}
		for e := 0; e < len(v); e += 1 + len(v)/some {
			old := v[e]
			v[e] = old + h
			up := f()
			v[e] = old - h
			numeric := (up - f()) / (2 * h)
			v[e] = old
			if !(math.Abs(numeric-g[e]) <= 1e-6*largest) {
				t.Fatalf("%s: gradient %d[%d] = %v, central differences give %v", what, i, e, g[e], numeric)
			}
		}
	}
}

func succeed(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestConvNetGradients compares g and ∂Q/∂φ of a net of convolutions, residual
// blocks and batch normalisation with central differences.
func TestConvNetGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 1))
	images := arrays(rng, 1, tensor.Shape{5, 2, 5, 5}, tensor.Shape{5, 2, 5, 5})
	batch := graph.NewBatch(images[0], tensor.New(tensor.WithShape(5), tensor.WithBacking([]int{0, 2, 1, 1, 0})))
	checkGradients(t, rng, 50, smoothNet(), graph.SoftmaxCrossEntropy, batch, images[1:])
}

// TestTransformerGradients does so for a Transformer with dropout and one table.
func TestTransformerGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 2))
	m := Transformer(TransformerConfig{
		Encoder: 1, Decoder: 1, Width: 6, Heads: 2, FeedForward: 5, Vocabulary: 7, Shared: true, Dropout: 0.2, AttentionDropout: 0.1,
	})
	source := intArray([][]int{{3, 2, 4, 0}, {1, 6, 0, 0}, {5, 5, 2, 1}})
	other := intArray([][]int{{2, 2, 0, 0}, {3, 6, 4, 1}, {5, 1, 2, 0}})
	target, moved := intArray([][]int{{1, 2, 3}, {1, 4, 0}, {1, 5, 6}}), intArray([][]int{{1, 6, 0}, {1, 3, 2}, {1, 4, 5}})
	batch := graph.Batch{
		X: []*tensor.Dense{source, target},
		T: []*tensor.Dense{intArray([][]int{{2, 3, 1}, {4, 2, 0}, {5, 6, 2}})},
	}
	checkGradients(t, rng, 8, m, graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), batch, []*tensor.Dense{other, moved})
}

// checkGradients compares those of J by θ and of Q by φ with central differences.
func checkGradients(t *testing.T, rng *rand.Rand, some int, m graph.Model, loss graph.Loss, batch graph.Batch, tilde []*tensor.Dense) {
	t.Helper()
	const lambdaF, lambdaW, scale = 0.7, 0.3, 0.8
	params, err := m.Init(5, tensor.Float64)
	succeed(t, err)
	src := graph.Objective{Model: m, Loss: loss}

	base, err := graph.NewBase(src, params, batch, apoops.NewRandom(2))
	succeed(t, err)
	j := func() float64 {
		succeed(t, base.Feed(batch), base.Run())
		return base.LossValue()
	}
	j()
	g, err := base.Grads()
	succeed(t, err)
	var theta []*tensor.Dense
	var shapes []tensor.Shape
	var groups []int
	for i, p := range graph.Learned(params) {
		theta, shapes, groups = append(theta, p.Value), append(shapes, p.Value.Shape()), append(groups, i%2)
	}
	checkGradient(t, "J", some, theta, clones(g), j)

	blocks := graph.BlockPerParam(params)
	phiOf := func(blocks []graph.Block) (phi, inputs []*tensor.Dense) {
		for _, b := range blocks {
			for _, f := range b.Factors() {
				phi = append(phi, arrays(rng, 0.3, f.Shape)...)
			}
			inputs = append(inputs, arrays(rng, 0.5, tensor.Shape{b.Rows, b.Cols})...)
		}
		return phi, inputs
	}
	phi, inputs := phiOf(blocks)
	for name, c := range map[string]struct {
		look        graph.Lookahead
		phi, inputs []*tensor.Dense
	}{
		"rates":   {graph.RateLookahead{Group: groups}, arrays(rng, 0.5, tensor.Shape{1}, tensor.Shape{1}), arrays(rng, 0.3, shapes...)},
		"precond": {graph.PrecondLookahead{Blocks: blocks}, phi, inputs},
		"free":    {graph.Free{}, arrays(rng, 0.5, shapes...), nil},
	} {
		p, err := graph.NewProximal(graph.ProximalConfig{
			Source: src, Params: params, Lookahead: c.look, Batch: batch, Tilde: tilde, Random: apoops.NewRandom(2),
		})
		succeed(t, err)
		q := func() graph.Terms {
			succeed(t, p.Feed(batch, tilde), p.FeedWeights(lambdaF, lambdaW), p.FeedStep(c.phi, c.inputs, scale), p.Run())
			return p.Terms()
		}
		if terms := q(); terms.FSD <= 0 || terms.WSD <= 0 {
			t.Fatalf("%s: a term is missing: %+v", name, terms)
		}
		d := clones(c.phi)
		succeed(t, p.Gradient(d))
		checkGradient(t, name, some, c.phi, clones(d), func() float64 { return q().Q })
	}
}
