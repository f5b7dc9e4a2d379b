package trainers

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
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
	for _, o := range []Optimizer{kfac, ekfac} {
		var tr *Trainer
		targets := func(int) []*tensor.Dense {
			y := outputsOf(batch.X[0].Float64s(), tr.Params()[0].Value.Float64s(), rows, in, out)
			for i := range y {
				y[i] += offsets[i]
			}
			return []*tensor.Dense{denseOf(y, rows, out)}
		}
		tr, err := New(layers.MLP(in, out), graph.SquaredError, o, Dtype(tensor.Float64), EveryK(0), SampledTargets(targets))
		if err != nil {
			t.Fatal(err)
		}
		var norms []float64
		for range 2 {
			if _, err := tr.Step(batch); err != nil {
				t.Fatal(err)
			}
			norms = append(norms, norm(tr.LastGradient()[0].Value))
		}
		// EKFAC's scalings are E[ā²s²], here E[ā²]·E[s²] up to the correlation of the
		// two over 16 examples, so only KFAC is exact.
		bound := 1e-7
		if o == ekfac {
			bound = 0.7
		}
		if !(norms[1] < bound*norms[0]) {
			t.Errorf("%s: the gradient's norm is %v after one step from %v", o.Name(), norms[1], norms[0])
		}
	}
}

// TestEKFACNearerToFisher compares both approximations of a layer's empirical
// Fisher matrix with the exact one, in the Frobenius norm.
func TestEKFACNearerToFisher(t *testing.T) {
	o := EKFAC(1e-9)
	o.Empirical = true
	tr, err := New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), graph.SoftmaxCrossEntropy, o, Dtype(tensor.Float64), EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	run(t, tr, 0, 1)
	batches, err := NewBatches(toyData(t, tensor.Float64), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	b := batches.At(0)
	state := make(map[string][]float64)
	for _, s := range tr.engine.form.state() {
		if s.Value.Dtype() == tensor.Float64 {
			state[s.Name] = s.Value.Float64s()
		}
	}
	for i, p := range tr.Params() {
		n, m := p.Value.Shape()[0], p.Value.Shape()[1]
		size := n * m
		exact := make([]float64, size*size)
		for row := range b.Len() {
			g := gradientOf(t, tr, Data{X: b.X[0], T: b.T[0]}.rows(row, 1), i)
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

func gradientOf(t *testing.T, tr *Trainer, b graph.Batch, param int) []float64 {
	t.Helper()
	base, err := graph.NewBase(tr.engine.src, tr.Params(), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{base.Feed(b), base.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	g, err := base.Grads()
	if err != nil {
		t.Fatal(err)
	}
	return g[param].Float64s()
}

// TestKLClipBoundsStep compares a clipped step with one that is not: it is ν
// times as long, with ν² Σ η²<d, g> = KLClip.
func TestKLClipBoundsStep(t *testing.T) {
	const clip, rate = 1e-6, 0.5
	moves := make([][]float64, 2)
	var g []float64
	for i, limit := range []float64{0, clip} {
		o := KFAC(rate)
		o.KLClip, o.Momentum = limit, 0
		tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(0))
		before := flat(tr)
		run(t, tr, 0, 1)
		for j, w := range flat(tr) {
			moves[i] = append(moves[i], before[j]-w)
		}
		g = g[:0]
		for _, p := range tr.LastGradient() {
			g = append(g, p.Value.Float64s()...)
		}
	}
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

func flat(tr *Trainer) []float64 {
	var all []float64
	for _, p := range tr.Params() {
		all = append(all, p.Value.Float64s()...)
	}
	return all
}

// TestFallbacks spoils the statistics in all ways and goes on training: factors
// that are not finite must be counted, and the weights stay finite with any.
func TestFallbacks(t *testing.T) {
	kfac, ekfac, shampoo := KFAC(0.01), EKFAC(0.01), Shampoo(0.01)
	kfac.FactorEvery, kfac.InverseEvery = 100, 2
	ekfac.FactorEvery, ekfac.BasisEvery = 100, 2
	shampoo.RootEvery = 2
	spoiled := map[string]bool{"dense0/A": true, "dense0/G": true, "dense0/0,0/L": true}
	for _, value := range []float64{math.NaN(), math.Inf(1), -1e9, 0} {
		for _, o := range []Optimizer{kfac, ekfac, shampoo} {
			tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(0))
			run(t, tr, 0, 1)
			n := 0
			for _, s := range tr.engine.form.state() {
				if spoiled[s.Name] {
					fill(s.Value.Float64s(), value)
					n++
				}
			}
			if n == 0 {
				t.Fatalf("%s has none of %v", o.Name(), spoiled)
			}
			run(t, tr, 1, 8)
			for _, w := range flat(tr) {
				if !finite(w) {
					t.Fatalf("%s, factors of %v: the weights are not finite", o.Name(), value)
				}
			}
			if !finite(value) && tr.Fallbacks() == 0 {
				t.Errorf("%s, factors of %v: no fallback was counted", o.Name(), value)
			}
		}
	}
}

// TestRivalsAllocateNothing takes steps between refreshes.
func TestRivalsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	grafted := Shampoo(0.01)
	grafted.Grafting = "adam"
	for _, o := range []Optimizer{KFAC(0.01), Shampoo(0.01), grafted} {
		tr := toyTrainer(t, o, EveryK(0))
		run(t, tr, 0, 2)
		s := signal{t: 2, rates: []float64{0.01, 0.01}}
		for _, g := range tr.LastGradient() {
			s.g = append(s.g, g.Value)
		}
		r := tr.engine.form.(*rateForm).rule
		if n := testing.AllocsPerRun(50, func() {
			if _, err := r.directions(s); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step", o.Name(), n)
		}
	}
}

// TestHugeInputs overflows float32 in Ā, which is 10⁴⁰ here, at the first step:
// the rule takes the plain gradient.
func TestHugeInputs(t *testing.T) {
	x := make([]float32, 12*4)
	for i := range x {
		x[i] = 1e20
	}
	batch := graph.NewBatch(denseOf(x, 12, 4), tensor.New(tensor.WithShape(12), tensor.WithBacking(make([]int, 12))))
	for _, o := range []Optimizer{KFAC(1e-25), EKFAC(1e-25), Shampoo(1e-25)} {
		tr, err := New(layers.MLPWith(apoops.Identity, 4, 3), graph.SoftmaxCrossEntropy, o, EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		for i := range tr.Params()[0].Value.Float32s() {
			tr.Params()[0].Value.Float32s()[i] = 0
		}
		if _, err := tr.Step(batch); err != nil {
			t.Fatal(err)
		}
		if s := sumSquares(tr.Params()[0].Value); !finite(s) || s == 0 {
			t.Errorf("%s: Σθ² is %v", o.Name(), s)
		}
		if tr.Fallbacks() == 0 {
			t.Errorf("%s: no fallback was counted", o.Name())
		}
	}
}

// TestRivalsAreNoMetaOptimizers names the rule in the error.
func TestRivalsAreNoMetaOptimizers(t *testing.T) {
	for _, o := range []Optimizer{KFAC(0.1), EKFAC(0.1), Shampoo(0.1)} {
		_, err := New(layers.MLP(4, 3), graph.SoftmaxCrossEntropy, SGD(0.1), Meta(o))
		if err == nil || !strings.Contains(err.Error(), o.Name()) || !strings.Contains(err.Error(), "meta-optimizer") {
			t.Errorf("%s: %v", o.Name(), err)
		}
	}
}

// TestLossWithoutSample wants Empirical to be asked for.
func TestLossWithoutSample(t *testing.T) {
	loss := graph.SoftmaxCrossEntropy
	loss.Sample = nil
	o := KFAC(0.01)
	for _, empirical := range []bool{false, true} {
		o.Empirical = empirical
		tr, err := New(layers.MLP(4, 3), loss, o, EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tr.Step(b.At(0))
		if empirical != (err == nil) || err != nil && !strings.Contains(err.Error(), "Empirical") {
			t.Errorf("empirical %v: %v", empirical, err)
		}
	}
}

// TestMaxDimTakesPlainGradient compares the layers beyond the limit with SGD.
func TestMaxDimTakesPlainGradient(t *testing.T) {
	kfac, ekfac := KFAC(0.1), EKFAC(0.1)
	kfac.MaxDim, kfac.KLClip, ekfac.MaxDim, ekfac.KLClip = 4, 0, 4, 0
	sgd := toyTrainer(t, SGDm(0.1), Dtype(tensor.Float64), EveryK(0))
	run(t, sgd, 0, 3)
	for _, o := range []Optimizer{kfac, ekfac} {
		tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(0))
		run(t, tr, 0, 3)
		for i, p := range tr.Params() {
			sameArray(t, o.Name(), p.Value, sgd.Params()[i].Value)
		}
	}
}

// TestAPOTunesRivals starts from rates a thousand times too small, where the bare
// rules hardly move.
func TestAPOTunesRivals(t *testing.T) {
	kfac, ekfac := KFAC(1e-5), EKFAC(1e-5)
	kfac.KLClip, ekfac.KLClip = 0, 0
	for _, o := range []Optimizer{kfac, ekfac, Shampoo(1e-5)} {
		var loss [2]float64
		for i, k := range []int{0, 1} {
			tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(k), FSD(1), Meta(MetaAdam(0.2)))
			run(t, tr, 0, 80)
			e, err := tr.Evaluate(toyData(t, tensor.Float64), 60)
			if err != nil {
				t.Fatal(err)
			}
			loss[i] = e.Loss
		}
		if !(loss[1] < 0.9*loss[0]) {
			t.Errorf("%s: loss %v with APO, %v without", o.Name(), loss[1], loss[0])
		}
	}
}
