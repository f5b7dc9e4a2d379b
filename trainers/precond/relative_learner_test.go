package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

func dense(m *mat.Dense) *tensor.Dense {
	return tensor.New(tensor.WithShape(m.Dims()), tensor.WithBacking(append([]float64(nil), m.RawMatrix().Data...)))
}

func vector(x []float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))
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

// learned is the preconditioner of the only block of a Trainer.
func learned(t *testing.T, tr *trainers.Trainer, rows, cols int) form.Preconditioner {
	t.Helper()
	p, err := form.Start(graph.Kronecker, form.Setup{Rows: rows, Cols: cols, Dtype: tensor.Float64, Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range tr.Phi() {
		copy(p.Factors()[i].Float64s(), q.Value.Float64s())
	}
	return p
}

// TestRelativeStepsReachTheMinimiser learns P from gradients at random weights of
// a linear net of one output, whose loss and discrepancy are quadratic. Q/ε is
// least where (ε+λ_F)·Ā·U + λ_W·U = g, so P must become ((ε+λ_F)Ā + λ_W)⁻¹: for
// ε = 1 Eq. 8's minimiser, for small ε Theorem 1's.
func TestRelativeStepsReachTheMinimiser(t *testing.T) {
	const lambdaF, lambdaW, n = 2.0, 0.1, 4
	for _, target := range []float64{1e6, 1e-8} {
		rng := rand.New(rand.NewPCG(31, 1))
		x := gaussian(rng, 40, n)
		for i := range 40 {
			x.Set(i, 0, 3*x.At(i, 0)+x.At(i, 1)) // condition number of some 20
		}
		o := precond.Relative(0)
		o.Relative.TargetFSD, o.Relative.WarmUp, o.Relative.MetaSteps, o.MomentumMode = target, 0, 1, precond.MomentumNone
		tr, err := trainers.New(layers.DeepLinear(n, 1), graph.SquaredError, o, trainers.Dtype(tensor.Float64), trainers.EveryK(1), trainers.FSD(lambdaF), trainers.WSD(lambdaW))
		if err != nil {
			t.Fatal(err)
		}
		var epsilon float64
		b := graph.NewBatch(dense(x), tensor.New(tensor.WithShape(40, 1), tensor.Of(tensor.Float64)))
		w := tr.Params()[0].Value.Float64s()
		for range 1500 {
			for i := range w {
				w[i] = rng.NormFloat64()
			}
			s, err := tr.StepWith(b, b.X)
			if err != nil {
				t.Fatal(err)
			}
			epsilon = s.Meta.Epsilon
		}
		if small := target < 1; small != (epsilon < 0.01) {
			t.Fatalf("ε = %v for a target of %v", epsilon, target)
		}
		var want mat.Dense
		want.Mul(x.T(), x)
		want.Scale((epsilon+lambdaF)/40, &want)
		for i := range n {
			want.Set(i, i, want.At(i, i)+lambdaW)
		}
		if err := want.Inverse(&want); err != nil {
			t.Fatal(err)
		}
		p := learned(t, tr, n, 1)
		for j := range n {
			g, u := make([]float64, n), make([]float64, n)
			g[j] = 1
			p.Multiply(vector(u), vector(g))
			for i := range n {
				if d := math.Abs(u[i] - want.At(i, j)); d > 2e-3*mat.Max(&want) {
					t.Fatalf("target %v: P[%d,%d] = %v, the minimiser has %v", target, i, j, u[i], want.At(i, j))
				}
			}
		}
	}
}
