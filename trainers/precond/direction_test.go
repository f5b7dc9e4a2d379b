package precond_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// lookahead measures the discrepancy of steps of the first layer of a net.
type lookahead struct {
	t      *testing.T
	params []*graph.Param
	prox   *graph.Proximal
}

func newLookahead(t *testing.T, m graph.Model, params []*graph.Param, b graph.Batch) lookahead {
	t.Helper()
	p, err := graph.NewProximal(graph.ProximalConfig{
		Source: graph.Objective{Model: m, Loss: graph.SquaredError}, Params: params, Lookahead: graph.Free{},
		Batch: b, Tilde: b.X, NoWSD: true, ValuesOnly: true,
	})
	if err == nil {
		err = p.Feed(b, b.X)
	}
	if err == nil {
		err = p.FeedWeights(1, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return lookahead{t, params, p}
}

// discrepancy is D_F(θ-εu, θ).
func (l lookahead) discrepancy(u []float64, epsilon float64) float64 {
	l.t.Helper()
	var moved []*tensor.Dense
	for i, p := range l.params {
		w := p.Value.Clone().(*tensor.Dense)
		if i == 0 {
			for k, d := range u {
				w.Float64s()[k] -= epsilon * d
			}
		}
		moved = append(moved, w)
	}
	if err := l.prox.FeedStep(moved, nil, 0); err != nil {
		l.t.Fatal(err)
	}
	if err := l.prox.Run(); err != nil {
		l.t.Fatal(err)
	}
	return l.prox.Terms().FSD
}

// q is Q(θ-εPv)/ε for ε → 0 without the curvature of J, -vᵀPv + D_F(θ-εPv, θ)/ε², added
// up over whitened probes: v = K⁻ᵀe for all unit vectors e, where P was KKᵀ. change is
// the relative change of K, P = K(I+change)(I+change)ᵀKᵀ.
func (l lookahead) q(k, change *mat.Dense) (sum float64) {
	const epsilon = 1e-3
	n, _ := k.Dims()
	var inner, pv mat.Dense
	one := mat.NewDense(n, n, nil)
	for i := range n {
		one.Set(i, i, 1)
	}
	one.Add(one, change)
	inner.Mul(one, one.T())
	pv.Mul(k, &inner)
	for e := range n {
		u := mat.Col(nil, e, &pv)
		sum += (l.discrepancy(u, epsilon)+l.discrepancy(u, -epsilon))/(2*epsilon*epsilon) - inner.At(e, e)
	}
	return sum
}

// gradient is ∂q/∂E by differences for changes E of one side, embedded by whole.
func (l lookahead) gradient(k *mat.Dense, size int, whole func(e *mat.Dense) *mat.Dense) *mat.Dense {
	const h = 1e-4
	d := mat.NewDense(size, size, nil)
	for i := range size {
		for j := range size {
			e := mat.NewDense(size, size, nil)
			e.Set(i, j, h)
			up := l.q(k, whole(e))
			e.Set(i, j, -h)
			d.Set(i, j, (up-l.q(k, whole(e)))/(2*h))
		}
	}
	return d
}

// TestMetaStepsGoToTheLookaheadsMinimum takes meta-steps on one batch: they end where Q's
// relative gradient ∂Q/∂E is 0 on each side P = CCᵀ, by finite differences. The net is not
// linear, and its inputs and output gradients are not independent; with one output a probe
// is ±1, so that a single one has no noise.
func TestMetaStepsGoToTheLookaheadsMinimum(t *testing.T) {
	const inputs, hidden = 5, 3 // inputs with the bias
	o := resting(8, 1e-14)      // hardly any damping
	m := layers.MLPWith(apoops.TanhAct, inputs-1, hidden, 1)
	tr, err := trainers.New(m, graph.SquaredError, o, trainers.Dtype(tensor.Float64), trainers.Seed(2))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 1))
	batch := graph.NewBatch(dense(gaussian(rng, 20, inputs-1)), tensor.New(tensor.WithShape(20, 1), tensor.Of(tensor.Float64)))
	gradients := func() (b, a float64) {
		pb, pa := side(tr.Phi(), inputs)
		p, _ := side(pa, hidden)
		cb, ca := lower(t, pb), lower(t, p)
		l, k := newLookahead(t, m, tr.Params(), batch), kronecker(cb, ca)
		gb := l.gradient(k, inputs, func(e *mat.Dense) *mat.Dense { return kronecker(e, identity(hidden)) })
		ga := l.gradient(k, hidden, func(e *mat.Dense) *mat.Dense { return kronecker(identity(inputs), e) })
		return mat.Norm(gb, 2), mat.Norm(ga, 2)
	}
	firstB, firstA := gradients()
	for range 200 {
		if _, err := tr.Step(batch); err != nil {
			t.Fatal(err)
		}
	}
	if b, a := gradients(); !(b < 1e-3*firstB && a < 1e-3*firstA) {
		t.Errorf("the gradients went from %v and %v to %v and %v", firstB, firstA, b, a)
	}
}

// lower is the triangle C of P = CCᵀ.
func lower(t *testing.T, p *mat.Dense) *mat.Dense {
	t.Helper()
	n, _ := p.Dims()
	var c mat.Cholesky
	if !c.Factorize(mat.NewSymDense(n, p.RawMatrix().Data)) {
		t.Fatal("P is not positive")
	}
	var l mat.TriDense
	c.LTo(&l)
	return mat.DenseCopyOf(&l)
}

func identity(n int) *mat.Dense {
	one := mat.NewDense(n, n, nil)
	for i := range n {
		one.Set(i, i, 1)
	}
	return one
}

func kronecker(a, b *mat.Dense) *mat.Dense {
	var k mat.Dense
	k.Kronecker(a, b)
	return &k
}
