package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// mlp is a model of the tests: dense layers of the given widths.
type mlp struct {
	widths  []int
	act     apoops.Activation
	dropout float64
}

func (m mlp) Init(seed uint64, dt tensor.Dtype) ([]*Param, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var params []*Param
	for i, out := range m.widths[1:] {
		params = append(params, &Param{Name: fmt.Sprintf("l%d", i), Value: random(rng, 0.7, m.widths[i]+1, out), Matrix: true})
	}
	return params, nil
}

func (m mlp) Output(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	y := x[0]
	var err error
	for i, w := range theta {
		act := m.act
		if i == len(theta)-1 {
			act = apoops.Identity
		}
		if y, err = apoops.Dense(y, w, act); err != nil {
			return nil, err
		}
		if m.dropout > 0 && i == 0 && p.Training() {
			if y, err = apoops.Dropout(y, m.dropout, p.Random, p.NextStream()); err != nil {
				return nil, err
			}
		}
	}
	return y, nil
}

func random(rng *rand.Rand, scale float64, shape ...int) *tensor.Dense {
	data := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = scale * rng.NormFloat64()
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// problem is one loss with a batch for it.
type problem struct {
	loss  Loss
	batch Batch
	tilde []*tensor.Dense
}

func problems(rng *rand.Rand, in, out int) []problem {
	labels := make([]int, 6)
	for i := range labels {
		labels[i] = rng.IntN(out)
	}
	probabilities := random(rng, 1, 6, out)
	for i, v := range probabilities.Float64s() {
		probabilities.Float64s()[i] = 1 / (1 + math.Exp(-v))
	}
	reversed := func(l Loss, d Divergence) Loss {
		l.Divergence = d
		return l
	}
	x := func() *tensor.Dense { return random(rng, 1, 6, in) }
	classes := tensor.New(tensor.WithShape(6), tensor.WithBacking(labels))
	var all []problem
	for _, l := range []Loss{SoftmaxCrossEntropy, reversed(SoftmaxCrossEntropy, CategoricalReverseKL)} {
		all = append(all, problem{l, NewBatch(x(), classes), []*tensor.Dense{x()}})
	}
	for _, l := range []Loss{BernoulliCrossEntropy, reversed(BernoulliCrossEntropy, BernoulliReverseKL)} {
		all = append(all, problem{l, NewBatch(x(), probabilities), []*tensor.Dense{x()}})
	}
	return append(all, problem{SquaredError, NewBatch(x(), random(rng, 1, 6, out)), []*tensor.Dense{x()}})
}

// arraysFor draws arrays for a lookahead's φ and inputs.
func arraysFor(rng *rand.Rand, look Lookahead, params []*Param) (phi, inputs []*tensor.Dense) {
	switch l := look.(type) {
	case RateLookahead:
		for range l.Groups() {
			phi = append(phi, tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{rng.Float64() - 1.5})))
		}
		for _, p := range params {
			inputs = append(inputs, random(rng, 0.5, p.Value.Shape()...))
		}
	case PrecondLookahead:
		for _, b := range l.Blocks {
			for _, f := range b.Factors() {
				phi = append(phi, random(rng, 0.4, f.Shape...))
			}
			inputs = append(inputs, random(rng, 0.5, b.Rows, b.Cols))
		}
	case RelativeLookahead:
		for _, b := range l.Blocks {
			if b.Form == Kronecker {
				phi = append(phi, zeros(b.Cols, b.Cols), zeros(b.Rows, b.Rows))
				for _, f := range b.Factors() {
					inputs = append(inputs, random(rng, 0.4, f.Shape...))
				}
			} else {
				phi = append(phi, random(rng, 0.4, b.Rows, b.Cols))
			}
			inputs = append(inputs, random(rng, 0.5, b.Rows, b.Cols))
		}
	case Free:
		for _, p := range params {
			phi = append(phi, random(rng, 0.7, p.Value.Shape()...))
		}
	}
	return phi, inputs
}

// TestMetaGradients compares ∂Q/∂φ with central differences for every form of
// update, loss and activation, and Q with the sum of its terms.
func TestMetaGradients(t *testing.T) {
	t.Parallel()
	const lambdaF, lambdaW, scale = 0.7, 0.3, 0.8
	for _, act := range []apoops.Activation{apoops.TanhAct, apoops.SigmoidAct, apoops.ReLUAct} {
		model := mlp{widths: []int{3, 4, 3}, act: act, dropout: 0.3}
		params, _ := model.Init(7, tensor.Float64)
		blocks := BlockPerParam(params)
		mixed := append([]Block(nil), blocks...)
		mixed[0].Form, mixed[1].Form = Diagonal, Scalar
		for name, look := range map[string]Lookahead{
			"one rate":       RateLookahead{Group: []int{0, 0}},
			"two rates":      RateLookahead{Group: []int{1, 0}},
			"linear rate":    RateLookahead{Group: []int{0, 0}, Linear: true},
			"kronecker":      PrecondLookahead{blocks},
			"diagonal":       PrecondLookahead{mixed},
			"full":           PrecondLookahead{OneBlock(params)},
			"exact proximal": Free{},
		} {
			rng := rand.New(rand.NewPCG(11, uint64(act)))
			for _, pr := range problems(rng, 3, 3) {
				t.Run(fmt.Sprintf("%v/%s/%s/%s", act, name, pr.loss.Name, pr.loss.Divergence.Name), func(t *testing.T) {
					p, err := NewProximal(ProximalConfig{
						Source: Objective{Model: model, Loss: pr.loss}, Params: params, Lookahead: look,
						Batch: pr.batch, Tilde: pr.tilde, Random: apoops.NewRandom(5),
					})
					if err != nil {
						t.Fatal(err)
					}
					phi, inputs := arraysFor(rng, look, params)
					q := func() Terms {
						t.Helper()
						for _, err := range []error{p.Feed(pr.batch, pr.tilde), p.FeedWeights(lambdaF, lambdaW), p.FeedStep(phi, inputs, scale), p.Run()} {
							if err != nil {
								t.Fatal(err)
							}
						}
						return p.Terms()
					}
					terms := q()
					if sum := terms.Loss + lambdaF*terms.FSD + lambdaW*terms.WSD; math.Abs(sum-terms.Q) > 1e-14*math.Abs(sum) {
						t.Fatalf("Q = %v, its terms add up to %v", terms.Q, sum)
					}
					if terms.FSD <= 0 || terms.WSD <= 0 {
						t.Fatalf("a term is missing: %+v", terms)
					}
					grad := make([]*tensor.Dense, len(phi))
					for i := range phi {
						grad[i] = phi[i].Clone().(*tensor.Dense)
					}
					if err := p.Gradient(grad); err != nil {
						t.Fatal(err)
					}
					for i, d := range grad {
						grad[i] = d.Clone().(*tensor.Dense)
					}
					checkGradient(t, phi, grad, func() float64 { return q().Q })
				})
			}
		}
	}
}

// checkGradient compares grad with central differences of f by each element of
// phi, to 1e-6 of the largest.
func checkGradient(t *testing.T, phi, grad []*tensor.Dense, f func() float64) {
	t.Helper()
	const h = 1e-5
	for i, a := range phi {
		x, g := a.Float64s(), grad[i].Float64s()
		numeric, largest := make([]float64, len(x)), 1e-3
		for e := range x {
			old := x[e]
			x[e] = old + h
			up := f()
			x[e] = old - h
			numeric[e] = (up - f()) / (2 * h)
			x[e] = old
			largest = max(largest, math.Abs(numeric[e]))
		}
		for e := range x {
			if math.Abs(numeric[e]-g[e]) > 1e-6*largest {
				t.Fatalf("∂Q/∂φ[%d][%d] = %v, central differences give %v", i, e, g[e], numeric[e])
			}
		}
	}
}

// TestBaseGradients compares g with central differences of J_B.
func TestBaseGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	for _, act := range []apoops.Activation{apoops.TanhAct, apoops.SigmoidAct, apoops.ReLUAct} {
		model := mlp{widths: []int{3, 5, 4, 3}, act: act, dropout: 0.2}
		for _, pr := range problems(rng, 3, 3) {
			params, _ := model.Init(3, tensor.Float64)
			base, err := NewBase(Objective{Model: model, Loss: pr.loss}, params, pr.batch, apoops.NewRandom(5))
			if err != nil {
				t.Fatal(err)
			}
			var theta, grad []*tensor.Dense
			j := func() float64 {
				if err := base.Feed(pr.batch); err != nil {
					t.Fatal(err)
				}
				if err := base.Run(); err != nil {
					t.Fatal(err)
				}
				return base.LossValue()
			}
			j()
			g, err := base.Grads()
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range params {
				theta, grad = append(theta, p.Value), append(grad, g[i].Clone().(*tensor.Dense))
			}
			checkGradient(t, theta, grad, j)
		}
	}
}

// TestLookaheadSeesTheStepsMasks checks that with a rate of 0 the loss at θ' is
// the base graph's, dropout included, and the function-space term is 0.
func TestLookaheadSeesTheStepsMasks(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 1))
	model := mlp{widths: []int{3, 50, 3}, act: apoops.TanhAct, dropout: 0.5}
	params, _ := model.Init(3, tensor.Float64)
	pr := problems(rng, 3, 3)[0]
	masks := apoops.NewRandom(5)
	src := Objective{Model: model, Loss: pr.loss}
	base, err := NewBase(src, params, pr.batch, masks)
	if err != nil {
		t.Fatal(err)
	}
	look := RateLookahead{Group: []int{0, 0}, Linear: true}
	prox, err := NewProximal(ProximalConfig{Source: src, Params: params, Lookahead: look, Batch: pr.batch, Tilde: pr.tilde, Random: masks})
	if err != nil {
		t.Fatal(err)
	}
	phi, inputs := arraysFor(rng, look, params)
	phi[0].Float64s()[0] = 0
	seen := map[float64]bool{}
	for step := range 5 {
		masks.SetStep(int64(step))
		for _, err := range []error{base.Feed(pr.batch), base.Run(), prox.Feed(pr.batch, pr.tilde), prox.FeedWeights(1, 1), prox.FeedStep(phi, inputs, 1), prox.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if terms := prox.Terms(); terms.Loss != base.LossValue() || terms.FSD != 0 {
			t.Fatalf("step %d: J_B(θ') = %v, J_B(θ) = %v, FSD = %v", step, terms.Loss, base.LossValue(), terms.FSD)
		}
		seen[base.LossValue()] = true
	}
	if len(seen) != 5 {
		t.Fatalf("5 steps had %d different masks", len(seen))
	}
}

// TestTermsCanBeLeftOut adds up the graphs of single terms.
func TestTermsCanBeLeftOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 1))
	model := mlp{widths: []int{3, 4, 3}, act: apoops.TanhAct}
	params, _ := model.Init(3, tensor.Float64)
	pr := problems(rng, 3, 3)[0]
	look := RateLookahead{Group: []int{0, 0}}
	phi, inputs := arraysFor(rng, look, params)
	at := func(noLoss, noFSD, noWSD bool) (Terms, float64) {
		p, err := NewProximal(ProximalConfig{
			Source: Objective{Model: model, Loss: pr.loss}, Params: params, Lookahead: look, Batch: pr.batch, Tilde: pr.batch.X,
			NoLoss: noLoss, NoFSD: noFSD, NoWSD: noWSD,
		})
		if err != nil {
			t.Fatal(err)
		}
		d := []*tensor.Dense{tensor.New(tensor.WithShape(1), tensor.Of(tensor.Float64))}
		batch := pr.batch
		if noLoss {
			batch = Batch{} // is not read
		}
		for _, err := range []error{p.Feed(batch, pr.batch.X), p.FeedWeights(0.7, 0.3), p.FeedStep(phi, inputs, 1), p.Run(), p.Gradient(d)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return p.Terms(), d[0].Float64s()[0]
	}
	all, slope := at(false, false, false)
	loss, lossSlope := at(false, true, true)
	fsd, fsdSlope := at(true, false, true)
	wsd, wsdSlope := at(true, true, false)
	sum := Terms{Q: loss.Q + fsd.Q + wsd.Q, Loss: loss.Loss + fsd.Loss + wsd.Loss, FSD: loss.FSD + fsd.FSD + wsd.FSD, WSD: loss.WSD + fsd.WSD + wsd.WSD}
	if math.Abs(sum.Q-all.Q) > 1e-14*all.Q || math.Abs(all.Q-(all.Loss+0.7*all.FSD+0.3*all.WSD)) > 1e-14*all.Q {
		t.Errorf("Q of the single terms %+v, %+v and %+v, of all %+v", loss, fsd, wsd, all)
	}
	if sum.Q = all.Q; sum != all || all.FSD == 0 || all.WSD == 0 {
		t.Errorf("single terms %+v, together %+v", sum, all)
	}
	if got := lossSlope + fsdSlope + wsdSlope; math.Abs(got-slope) > 1e-13*math.Abs(slope) || fsdSlope == 0 || wsdSlope == 0 {
		t.Errorf("∂Q/∂φ of the single terms %v, %v, %v, of all %v", lossSlope, fsdSlope, wsdSlope, slope)
	}
	if _, err := NewProximal(ProximalConfig{Source: Objective{Model: model, Loss: pr.loss}, Params: params, Lookahead: look, NoLoss: true, NoFSD: true, NoWSD: true}); err == nil {
		t.Error("Q without terms: no error")
	}
}
