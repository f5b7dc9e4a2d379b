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
	const epsilon = 3e-4
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

// descent is a training at rest on one batch, whose meta-steps are compared with
// differences of Q. The net is not linear, and its inputs and output gradients are not
// independent; with one output a probe is ±1, so that a single one has no noise.
type descent struct {
	t     *testing.T
	model graph.Model
	tr    *trainers.Trainer
	batch graph.Batch
}

// The sizes of the first layer, whose inputs include the bias.
const descentInputs, descentHidden = 5, 3

func newDescent(t *testing.T) descent {
	t.Helper()
	m := layers.MLPWith(apoops.TanhAct, descentInputs-1, descentHidden, 1)
	tr, err := trainers.New(m, graph.SquaredError, resting(8, 1e-14), trainers.Dtype(tensor.Float64), trainers.Seed(2)) // hardly any damping
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 1))
	return descent{t, m, tr, graph.NewBatch(dense(gaussian(rng, 20, descentInputs-1)), tensor.New(tensor.WithShape(20, 1), tensor.Of(tensor.Float64)))}
}

func (d descent) step(times int) {
	d.t.Helper()
	for range times {
		if _, err := d.tr.Step(d.batch); err != nil {
			d.t.Fatal(err)
		}
	}
}

// sides are P_B and P_A.
func (d descent) sides() [2]*mat.Dense {
	pb, rest := side(d.tr.Phi(), descentInputs)
	pa, _ := side(rest, descentHidden)
	return [2]*mat.Dense{pb, pa}
}

// gradients are Q's relative gradients ∂Q/∂E by differences, of the sides P = CCᵀ, and the C.
func (d descent) gradients() (g, c [2]*mat.Dense) {
	d.t.Helper()
	for i, p := range d.sides() {
		c[i] = lower(d.t, p)
	}
	l, k := newLookahead(d.t, d.model, d.tr.Params(), d.batch), kronecker(c[0], c[1])
	g[0] = l.gradient(k, descentInputs, func(e *mat.Dense) *mat.Dense { return kronecker(e, identity(descentHidden)) })
	g[1] = l.gradient(k, descentHidden, func(e *mat.Dense) *mat.Dense { return kronecker(identity(descentInputs), e) })
	return g, c
}

// TestMetaStepsGoToTheLookaheadsMinimum takes meta-steps on one batch: they end where Q's
// relative gradient is 0 on each side.
func TestMetaStepsGoToTheLookaheadsMinimum(t *testing.T) {
	d := newDescent(t)
	first, _ := d.gradients()
	d.step(200)
	last, _ := d.gradients()
	for i, g := range last {
		if a, b := mat.Norm(first[i], 2), mat.Norm(g, 2); !(b < 1e-3*a) {
			t.Errorf("side %d: the gradient went from %v to %v", i, a, b)
		}
	}
}

// TestDirectionIsThatOfTheLookahead moves one side P = CCᵀ a little from the minimum, where
// the averages of the step are of this batch: the next meta-step is one of length 1 down Q's
// relative gradient, P ← C(I - ½E)²Cᵀ with E = (∂Q/∂E)/2n and n the size of the other side,
// up to the square of E.
func TestDirectionIsThatOfTheLookahead(t *testing.T) {
	const off = 0.01
	sizes := [2]int{descentInputs, descentHidden}
	for i, size := range sizes {
		d := newDescent(t)
		d.step(200)
		p := d.sides()[i]
		c := lower(t, p)
		rng := rand.New(rand.NewPCG(3, uint64(i)))
		var k, change mat.Dense
		k.Add(gaussian(rng, size, size), identity(size))
		k.Add(&k, k.T())
		change.Product(c, &k, c.T())
		more := mat.Trace(&change) / mat.Trace(p)
		change.Sub(&change, scaled(more, p)) // the trace of P_A is fixed
		p.Add(p, scaled(off, &change))
		copy(d.tr.Phi()[i].Value.Float64s(), p.RawMatrix().Data)

		g, cs := d.gradients()
		d.step(1)
		var moved, inverse mat.Dense
		if err := inverse.Inverse(cs[i]); err != nil {
			t.Fatal(err)
		}
		moved.Sub(d.sides()[i], p)
		moved.Product(&inverse, &moved, inverse.T())
		want := scaled(-1/(2*float64(sizes[1-i])), g[i])
		if !mat.EqualApprox(&moved, want, 0.03*mat.Norm(want, 2)) {
			t.Errorf("side %d moves by C times\n%.4f\ntimes Cᵀ, the lookahead has\n%.4f", i, mat.Formatted(&moved), mat.Formatted(want))
		}
	}
}

func scaled(by float64, m *mat.Dense) *mat.Dense {
	var s mat.Dense
	s.Scale(by, m)
	return &s
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
