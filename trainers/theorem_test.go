package trainers

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// linearLoss is the mean over the batch of <t, y>. With a linear model it is
// linear in θ, so the linearisation in Theorem 1 is exact, and g = Xᵀt/N does
// not depend on θ.
var linearLoss = graph.Loss{
	Name: "linear",
	Build: func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
		n := float64(y.Shape()[0])
		p, err := gorgonia.HadamardProd(y, t[0])
		for range 2 {
			if err == nil {
				p, err = gorgonia.Sum(p, 0)
			}
		}
		if err != nil {
			return nil, err
		}
		return gorgonia.Div(p, gorgonia.NewConstant(n))
	},
	Divergence: graph.HalfSquared,
}

// weighted is the divergence ½ d·M·dᵀ of the change d of the outputs, averaged
// over the rows, for M = C·Cᵀ: the function-space Hessian of a linear model is
// then (XᵀX/N)⊗M.
func weighted(c *mat.Dense) graph.Divergence {
	return graph.Divergence{Name: "weighted", Build: func(old, moved *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		w := gorgonia.NewTensor(moved.Graph(), tensor.Float64, 2, gorgonia.WithName("C"), gorgonia.WithShape(c.Dims()), gorgonia.WithValue(dense(c)))
		oldC, err := apoops.Linear(old, w, apoops.Identity)
		if err != nil {
			return nil, err
		}
		movedC, err := apoops.Linear(moved, w, apoops.Identity)
		if err != nil {
			return nil, err
		}
		return apoops.SquaredDivergence(oldC, movedC)
	}}
}

func dense(m *mat.Dense) *tensor.Dense {
	return tensor.New(tensor.WithShape(m.Dims()), tensor.WithBacking(append([]float64(nil), m.RawMatrix().Data...)))
}

func gaussian(rng *rand.Rand, r, c int) *mat.Dense {
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	return m
}

// quadratic is a linear model of n inputs and m outputs with fixed inputs X and
// curvature (XᵀX/N)⊗M.
type quadratic struct {
	n, m   int
	x      *tensor.Dense
	xtx, c *mat.Dense // XᵀX/N and the root of M
	model  graph.Model
}

func newQuadratic(rng *rand.Rand, rows, n, m int) quadratic {
	x := gaussian(rng, rows, n)
	var xtx mat.Dense
	xtx.Mul(x.T(), x)
	xtx.Scale(1/float64(rows), &xtx)
	c := gaussian(rng, m, m)
	for i := range m {
		c.Set(i, i, c.At(i, i)+2)
	}
	return quadratic{n, m, dense(x), &xtx, c, layers.DeepLinear(n, m)}
}

// curvature is the Hessian of the function-space term for vec θ in row-major
// order.
func (q quadratic) curvature() *mat.Dense {
	var m, h mat.Dense
	m.Mul(q.c, q.c.T())
	h.Kronecker(q.xtx, &m)
	return &h
}

// optimal is (λ_F·G + λ_W·I)⁻¹.
func (q quadratic) optimal(t *testing.T, lambdaF, lambdaW float64) *mat.Dense {
	h := q.curvature()
	h.Scale(lambdaF, h)
	for i := range q.n * q.m {
		h.Set(i, i, h.At(i, i)+lambdaW)
	}
	var p mat.Dense
	if err := p.Inverse(h); err != nil {
		t.Fatal(err)
	}
	return &p
}

func (q quadratic) batch(rng *rand.Rand) graph.Batch {
	return graph.NewBatch(q.x, dense(gaussian(rng, q.x.Shape()[0], q.m)))
}

// TestTheorem1ClosedForm checks that ∂Q/∂P vanishes at P* = (λ_F·G + λ_W·I)⁻¹
// for any mini-batch, and nowhere near.
func TestTheorem1ClosedForm(t *testing.T) {
	const lambdaF, lambdaW = 0.7, 0.2
	rng := rand.New(rand.NewPCG(1, 1))
	q := newQuadratic(rng, 12, 3, 2)
	p := dense(q.optimal(t, lambdaF, lambdaW))
	gradient := func(p *tensor.Dense) float64 {
		c := PrecondPlain(1)
		c.FullMatrix, c.MomentumMode = true, precond.MomentumNone
		tr, err := New(q.model, linearLoss, c, Dtype(tensor.Float64), EveryK(1), FSD(lambdaF, weighted(q.c)), WSD(lambdaW), Meta(MetaSGD(1e-12)))
		if err != nil {
			t.Fatal(err)
		}
		copy(tr.Phi()[0].Value.Float64s(), p.Float64s())
		var largest float64
		for range 5 {
			s, err := tr.StepWith(q.batch(rng), []*tensor.Dense{q.x})
			if err != nil {
				t.Fatal(err)
			}
			largest = max(largest, s.Meta.GradNorm)
		}
		return largest
	}
	if g := gradient(p); g > 1e-9 {
		t.Errorf("‖∂Q/∂P‖ = %v at P*", g)
	}
	p.Float64s()[1] += 0.01
	if g := gradient(p); g < 1e-4 {
		t.Errorf("‖∂Q/∂P‖ = %v beside P*", g)
	}
}

// TestTheorem1Reached runs APO with a full P from P = 0.1·I until it has found
// (λ_F·G + λ_W·I)⁻¹.
func TestTheorem1Reached(t *testing.T) {
	t.Parallel()
	const lambdaF, lambdaW = 0.7, 0.2
	rng := rand.New(rand.NewPCG(1, 2))
	q := newQuadratic(rng, 12, 3, 2)
	want := dense(q.optimal(t, lambdaF, lambdaW)).Float64s()
	c := PrecondPlain(0.1)
	c.FullMatrix, c.MomentumMode = true, precond.MomentumNone
	tr, err := New(q.model, linearLoss, c, Dtype(tensor.Float64), EveryK(1), FSD(lambdaF, weighted(q.c)), WSD(lambdaW), Meta(MetaSGD(0.1)))
	if err != nil {
		t.Fatal(err)
	}
	for range 6000 {
		if _, err := tr.StepWith(q.batch(rng), []*tensor.Dense{q.x}); err != nil {
			t.Fatal(err)
		}
	}
	got := tr.Phi()[0].Value.Float64s()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-6 {
			t.Fatalf("P[%d] = %v, Theorem 1 gives %v", i, got[i], want[i])
		}
	}
}

// TestCorollary2 runs APO-Precond where KFAC's assumptions hold exactly (one
// layer whose inputs and output curvature are independent, Fisher matrix
// Ā⊗Ḡ with Ā = E[aaᵀ], Ḡ = M), with λ_FSD = 1 and λ_WSD = 0. The update it
// learns must be KFAC's, Ā⁻¹·G·Ḡ⁻¹.
func TestCorollary2(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 1))
	q := newQuadratic(rng, 40, 3, 2)
	var m, invA, invG mat.Dense
	m.Mul(q.c, q.c.T())
	if err := invA.Inverse(q.xtx); err != nil {
		t.Fatal(err)
	}
	if err := invG.Inverse(&m); err != nil {
		t.Fatal(err)
	}
	c := PrecondPlain(0.1)
	c.MomentumMode = precond.MomentumNone
	tr, err := New(q.model, linearLoss, c, Dtype(tensor.Float64), EveryK(1), FSD(1, weighted(q.c)), WSD(0), Meta(MetaSGD(0.1)))
	if err != nil {
		t.Fatal(err)
	}
	var worst float64
	for step := range 10000 {
		before := tr.Params()[0].Value.Clone().(*tensor.Dense).Float64s()
		b := q.batch(rng)
		if _, err := tr.StepWith(b, []*tensor.Dense{q.x}); err != nil {
			t.Fatal(err)
		}
		if step < 9990 {
			continue
		}
		var g, kfac mat.Dense
		rows := float64(q.x.Shape()[0])
		g.Mul(mat.NewDense(q.x.Shape()[0], q.n, q.x.Float64s()).T(), mat.NewDense(q.x.Shape()[0], q.m, b.T[0].Float64s()))
		g.Scale(1/rows, &g)
		kfac.Product(&invA, &g, &invG)
		for i, w := range tr.Params()[0].Value.Float64s() {
			worst = max(worst, math.Abs(before[i]-w-kfac.RawMatrix().Data[i])/mat.Max(&kfac))
		}
	}
	if worst > 1e-6 {
		t.Fatalf("the learned update differs from KFAC's by %v of its largest element", worst)
	}
}

// TestLearningRateOracles compares the rate at which ∂Q/∂η vanishes with the
// closed forms: gᵀg/(gᵀ(λ_F·G + λ_W·I)g) for a linear loss, also 1/λ_W without
// function-space term, and gᵀg/(gᵀ(H + λ_F·G + λ_W·I)g) for a quadratic one.
func TestLearningRateOracles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	q := newQuadratic(rng, 12, 3, 2)
	for _, c := range []struct {
		name             string
		loss             graph.Loss
		lambdaF, lambdaW float64
		hessian          *mat.Dense // of the loss, nil for none
	}{
		{"linear loss", linearLoss, 0.7, 0.2, nil},
		{"weight space alone", linearLoss, 0, 0.2, nil},
		{"function space alone", linearLoss, 0.7, 0, nil},
		{"quadratic loss", graph.SquaredError, 0.7, 0.2, squaredErrorHessian(q)},
		{"quadratic loss alone", graph.SquaredError, 0, 0, squaredErrorHessian(q)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := q.batch(rng)
			for _, linear := range []bool{false, true} {
				opts := []Option{Dtype(tensor.Float64), EveryK(1), SameBatch(), FSD(c.lambdaF, weighted(q.c)), WSD(c.lambdaW), Meta(MetaSGD(1e-15))}
				if linear {
					opts = append(opts, LinearRate())
				}
				slope := func(rate float64) (float64, []float64) {
					tr, err := New(q.model, c.loss, SGD(rate), opts...)
					if err != nil {
						t.Fatal(err)
					}
					before := tr.Params()[0].Value.Clone().(*tensor.Dense).Float64s()
					s, err := tr.StepWith(b, []*tensor.Dense{q.x})
					if err != nil {
						t.Fatal(err)
					}
					g := make([]float64, len(before))
					for i, w := range tr.Params()[0].Value.Float64s() {
						g[i] = (before[i] - w) / rate
					}
					return s.Meta.GradNorm, g
				}
				_, g := slope(1)
				h := q.curvature()
				h.Scale(c.lambdaF, h)
				for i := range len(g) {
					h.Set(i, i, h.At(i, i)+c.lambdaW)
				}
				if c.hessian != nil {
					h.Add(h, c.hessian)
				}
				v := mat.NewVecDense(len(g), g)
				best := mat.Dot(v, v) / mat.Inner(v, h, v)
				if s, _ := slope(best); s > 1e-12*mat.Dot(v, v)*(1+best) {
					t.Errorf("∂Q/∂φ = %v at the closed form's rate %v", s, best)
				}
				if s, _ := slope(1.1 * best); s < 1e-3*best*mat.Dot(v, v) {
					t.Errorf("∂Q/∂φ = %v beside the closed form's rate %v", s, best)
				}
			}
		})
	}
}

// squaredErrorHessian is (XᵀX/N)⊗I.
func squaredErrorHessian(q quadratic) *mat.Dense {
	eye := mat.NewDense(q.m, q.m, nil)
	for i := range q.m {
		eye.Set(i, i, 1)
	}
	var h mat.Dense
	h.Kronecker(q.xtx, eye)
	return &h
}
