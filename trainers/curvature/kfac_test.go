package curvature

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// linearProblem is a batch of linear regression and targets of the Fisher matrix
// whose s have the second moment I at the given weights: rows of an orthogonal
// matrix, times √N.
func linearProblem(t *testing.T, rows, in, out int) (batch graph.Batch, offsets []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 8))
	x, y := make([]float64, rows*in), make([]float64, rows*out)
	for i := range x {
		x[i] = rng.NormFloat64() * math.Pow(4, float64(i%in))
	}
	for i := range y {
		y[i] = rng.NormFloat64()
	}
	offsets = make([]float64, rows*out)
	for j := range out {
		for i := range rows { // columns of the discrete cosine transform
			offsets[i*out+j] = math.Sqrt2 * math.Cos(math.Pi*float64(j+1)*(float64(i)+0.5)/float64(rows))
		}
	}
	return graph.NewBatch(denseOf(x, rows, in), denseOf(y, rows, out)), offsets
}

// outputsOf are x·W with the bias row.
func outputsOf(x, w []float64, rows, in, out int) []float64 {
	y := make([]float64, rows*out)
	for i := range rows {
		for j := range out {
			y[i*out+j] = w[in*out+j]
			for k := range in {
				y[i*out+j] += x[i*in+k] * w[k*out+j]
			}
		}
	}
	return y
}

// TestNaturalGradientSolvesLeastSquares takes one step at rate 1. For a linear net
// with the squared error the Fisher matrix is Ā⊗I, both methods have it exactly,
// and a natural gradient step, Newton's, ends at the minimum.
func TestNaturalGradientSolvesLeastSquares(t *testing.T) {
	const rows, in, out = 16, 3, 2
	kfac, ekfac := KFAC(1), EKFAC(1)
	kfac.Damping, kfac.KLClip = 1e-20, 0
	ekfac.Damping, ekfac.KLClip = 1e-12, 0
	batch, offsets := linearProblem(t, rows, in, out)
	for _, o := range []rule.Optimizer{kfac, ekfac} {
		var n *training
		targets := func(int) []*tensor.Dense {
			y := outputsOf(batch.X[0].Float64s(), n.weights(), rows, in, out)
			for i := range y {
				y[i] += offsets[i]
			}
			return []*tensor.Dense{denseOf(y, rows, out)}
		}
		n = newTraining(t, layers.MLP(in, out), graph.SquaredError, o, batch, targets)
		before := array.Norm(n.gradient(t, batch)[0])
		n.step(t, batch)
		after := array.Norm(n.gradient(t, batch)[0])
		// EKFAC's scalings are E[ā²s²], here E[ā²]·E[s²] up to the correlation of the
		// two over 16 examples, so only KFAC is exact.
		bound := 1e-7
		if o == ekfac {
			bound = 0.7
		}
		if !(after < bound*before) {
			t.Errorf("%s: the gradient's norm is %v after one step from %v", o.Name(), after, before)
		}
	}
}

// TestEKFACNearerToFisher compares both approximations of a layer's empirical
// Fisher matrix with the exact one, in the Frobenius norm.
func TestEKFACNearerToFisher(t *testing.T) {
	o := EKFAC(1e-9)
	o.Empirical = true
	b := classes(1, 12)[0]
	model := layers.MLPWith(apoops.TanhAct, 4, 5, 3)
	k := newTraining(t, model, graph.SoftmaxCrossEntropy, o, b, nil)
	k.step(t, b)
	state := stateOf(k.rule)
	// It gives the gradients of single examples, at the initial weights.
	one := newTraining(t, model, graph.SoftmaxCrossEntropy, rule.SGD(1), rowOf(b, 0), nil)
	for i, p := range k.task.Params {
		n, m := p.Value.Shape()[0], p.Value.Shape()[1]
		size := n * m
		exact := make([]float64, size*size)
		for row := range b.Len() {
			g := one.gradient(t, rowOf(b, row))[i].Float64s()
			for r, x := range g {
				for c, y := range g {
					exact[r*size+c] += x * y / float64(b.Len())
				}
			}
		}
		a, g, ua, ug, s := state[p.Name+"/A"], state[p.Name+"/G"], state[p.Name+"/basis/A"], state[p.Name+"/basis/G"], state[p.Name+"/S"]
		var kfac, ekfac float64
		for r := range size {
			for c := range size {
				want := exact[r*size+c]
				k := a[r/m*n+c/m]*g[r%m*m+c%m] - want
				var e float64
				for q := range size {
					e += s[q] * ua[q/m*n+r/m] * ug[q%m*m+r%m] * ua[q/m*n+c/m] * ug[q%m*m+c%m]
				}
				kfac += k * k
				ekfac += (e - want) * (e - want)
			}
		}
		if !(ekfac < 0.999*kfac) {
			t.Errorf("%s: squared distance %v by EKFAC, %v by KFAC", p.Name, ekfac, kfac)
		}
	}
}

// rowOf is a batch of one row of a batch of classes.
func rowOf(b graph.Batch, row int) graph.Batch {
	return graph.NewBatch(denseOf(b.X[0].Float64s()[4*row:4*row+4], 1, 4), denseOf(b.T[0].Ints()[row:row+1], 1))
}

// TestKLClipBoundsStep compares a clipped step with one that is not: it is ν
// times as long, with ν² Σ η²<d, g> = KLClip.
func TestKLClipBoundsStep(t *testing.T) {
	const clip, rate = 1e-6, 0.5
	batch := classes(1, 12)[0]
	moves := make([][]float64, 2)
	for i, limit := range []float64{0, clip} {
		o := KFAC(rate)
		o.KLClip, o.Momentum = limit, 0
		n := newTraining(t, perceptron(), graph.SoftmaxCrossEntropy, o, batch, nil)
		before := n.weights()
		n.step(t, batch)
		for j, w := range n.weights() {
			moves[i] = append(moves[i], before[j]-w)
		}
	}
	n := newTraining(t, perceptron(), graph.SoftmaxCrossEntropy, rule.SGD(rate), batch, nil)
	n.task.Random.SetStep(0)
	g := flat(n.gradient(t, batch))
	var product float64
	for j, m := range moves[0] {
		product += rate * m * g[j]
	}
	nu := math.Sqrt(clip / product)
	if !(nu < 0.5) {
		t.Fatalf("ν = %v: the step is hardly clipped", nu)
	}
	for j, m := range moves[0] {
		if math.Abs(moves[1][j]-nu*m) > 1e-9*math.Abs(m)+1e-15 {
			t.Fatalf("element %d moved by %v, not %v", j, moves[1][j], nu*m)
		}
	}
}
