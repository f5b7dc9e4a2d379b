package curvature

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// momentsOf are Ā and Ḡ of each matrix, from gradients of single examples: ā·sᵀ, whose last
// row is s, for the last element of ā is 1.
func momentsOf(t *testing.T, one *training, b graph.Batch) (as, gs [][]float64) {
	t.Helper()
	for _, p := range one.task.Params {
		n, m := p.Value.Shape()[0], p.Value.Shape()[1]
		as, gs = append(as, make([]float64, n*n)), append(gs, make([]float64, m*m))
	}
	for row := range b.Len() {
		for i, g := range one.gradient(t, rowOf(b, row)) {
			n, m := g.Shape()[0], g.Shape()[1]
			x := g.Float64s()
			s, j := x[(n-1)*m:], 0
			for l, v := range s {
				if math.Abs(v) > math.Abs(s[j]) {
					j = l
				}
			}
			for r := range n {
				for c := range n {
					as[i][r*n+c] += x[r*m+j] * x[c*m+j] / s[j] / s[j] / float64(b.Len())
				}
			}
			for r := range m {
				for c := range m {
					gs[i][r*m+c] += s[r] * s[c] / float64(b.Len())
				}
			}
		}
	}
	return as, gs
}

// twinSINGD moves one matrix by the equations of Lin et al.
type twinSINGD struct {
	n, m         int
	k, c, mk, mc []float64
	v            []float64
}

func newTwinSINGD(n, m int) *twinSINGD {
	w := &twinSINGD{n: n, m: m, k: make([]float64, n*n), c: make([]float64, m*m), mk: make([]float64, n*n), mc: make([]float64, m*m), v: make([]float64, n*m)}
	array.Identity(w.k, n, 1)
	array.Identity(w.c, m, 1)
	return w
}

// step has the moments a and g at steps that move K and C, else nil.
func (w *twinSINGD) step(c *SINGDConfig, theta, grad, a, g []float64) {
	n, m := w.n, w.m
	if a != nil {
		hk, hc := times(transposed(w.k, n, n), times(a, w.k, n, n, n), n, n, n), times(transposed(w.c, m, m), times(g, w.c, m, m, m), m, m, m)
		kk, cc := times(transposed(w.k, n, n), w.k, n, n, n), times(transposed(w.c, m, m), w.c, m, m, m)
		onK, onC := [2]float64{trace(hc, m) / float64(m), trace(cc, m) / float64(m)}, [2]float64{trace(hk, n) / float64(n), trace(kk, n) / float64(n)}
		if c.KFACLike {
			onK, onC = [2]float64{1, 1}, [2]float64{1, 1}
		}
		w.k = w.moved(c, w.k, w.mk, hk, kk, onK, n)
		w.c = w.moved(c, w.c, w.mc, hc, cc, onC, m)
	}
	d := times(times(w.k, transposed(w.k, n, n), n, n, n), grad, n, n, m)
	d = times(d, times(w.c, transposed(w.c, m, m), m, m, m), n, m, m)
	for i := range theta {
		w.v[i] = c.Momentum*w.v[i] + d[i] + c.WeightDecay*theta[i]
		theta[i] -= c.LR * w.v[i]
	}
}

func (w *twinSINGD) moved(c *SINGDConfig, k, mk, h, square []float64, on [2]float64, n int) []float64 {
	scale, largest := 0.5, 0.0
	if c.Normalize {
		scale = 0.5 * (1 - c.FactorMomentum)
	}
	for i := range mk {
		identity := 0.0
		if i%n == i/n {
			identity = 1
		}
		mk[i] = c.FactorMomentum*mk[i] + scale*(on[0]*h[i]+c.Damping*on[1]*square[i]-identity)
		largest = max(largest, math.Abs(mk[i]))
	}
	rate := c.FactorLR
	if c.Normalize {
		rate /= max(1, largest)
	}
	next := slices.Clone(k)
	for i, x := range times(k, mk, n, n, n) {
		next[i] -= rate * x
	}
	return next
}

// TestSINGDEqualsTwin compares a net of two layers with the papers' equations, whose
// moments come from gradients of single examples.
func TestSINGDEqualsTwin(t *testing.T) {
	plain, normalized, like := SINGD(0.05), SINGD(0.05), SINGD(0.05)
	plain.FactorEvery, plain.FactorLR = 1, 0.1
	normalized.FactorEvery, normalized.FactorLR, normalized.Normalize, normalized.WeightDecay, normalized.Damping = 2, 0.5, true, 0.1, 0.1
	like.FactorEvery, like.FactorLR, like.KFACLike, like.FactorMomentum, like.Momentum = 3, 0.2, true, 0, 0
	for name, c := range map[string]*SINGDConfig{"plain": plain, "normalized": normalized, "KFAC-like": like} {
		t.Run(name, func(t *testing.T) { singdEqualsTwin(t, c) })
	}
}

func singdEqualsTwin(t *testing.T, c *SINGDConfig) {
	const steps = 15
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	model, batches := layers.MLPWith(apoops.TanhAct, 4, 5, 3), classes(steps, 12)
	n := newTraining(t, model, graph.SoftmaxCrossEntropy, c, batches[0], nil)
	one := newTraining(t, model, graph.SoftmaxCrossEntropy, rule.SGD(1), rowOf(batches[0], 0), nil)
	var twins []*twinSINGD
	for _, p := range n.task.Params {
		twins = append(twins, newTwinSINGD(p.Value.Shape()[0], p.Value.Shape()[1]))
	}
	for step, b := range batches {
		var as, gs [][]float64
		if step%c.FactorEvery == 0 {
			as, gs = momentsOf(t, one, b)
		}
		var want [][]float64
		for i, g := range n.gradient(t, b) {
			theta, a, s := slices.Clone(n.task.Params[i].Value.Float64s()), []float64(nil), []float64(nil)
			if as != nil {
				a, s = as[i], gs[i]
			}
			twins[i].step(c, theta, g.Float64s(), a, s)
			want = append(want, theta)
		}
		n.step(t, b)
		for i, p := range n.task.Params {
			for j, v := range p.Value.Float64s() {
				if math.Abs(v-want[i][j]) > 1e-9 {
					t.Fatalf("step %d: element %d of %s is %v, want %v", step, j, p.Name, v, want[i][j])
				}
			}
			copy(one.task.Params[i].Value.Float64s(), p.Value.Float64s())
		}
	}
}

// TestSINGDComesToInverses leaves the weights and has K·Kᵀ of the KFAC-like form come to
// (Ā + λI)⁻¹, and C·Cᵀ to (Ḡ + λI)⁻¹.
func TestSINGDComesToInverses(t *testing.T) {
	c := SINGD(1e-300)
	c.FactorEvery, c.FactorLR, c.FactorMomentum, c.Damping, c.KFACLike, c.Normalize = 1, 0.5, 0, 0.05, true, true
	model, b := layers.MLPWith(apoops.TanhAct, 4, 5, 3), classes(1, 12)[0]
	n := newTraining(t, model, graph.SoftmaxCrossEntropy, c, b, nil)
	as, gs := momentsOf(t, newTraining(t, model, graph.SoftmaxCrossEntropy, rule.SGD(1), rowOf(b, 0), nil), b)
	for range 300 {
		n.step(t, b)
	}
	state := stateOf(n.rule)
	for i, p := range n.task.Params {
		for name, moment := range map[string][]float64{"K": as[i], "C": gs[i]} {
			size := int(math.Sqrt(float64(len(moment))))
			for j := range size {
				moment[j*size+j] += c.Damping
			}
			if err := blas.Inverse(size, moment); err != nil {
				t.Fatal(err)
			}
			k := state[p.Name+"/"+name]
			for j, v := range times(k, transposed(k, size, size), size, size, size) {
				if math.Abs(v-moment[j]) > 1e-6*moment[0] {
					t.Errorf("%s/%s: element %d is %v, of the inverse %v", p.Name, name, j, v, moment[j])
				}
			}
		}
	}
}

// TestSINGDFindsOptimum has a linear net and a deep linear net come to the known optimum, a
// loss of 0, of regressions whose inputs differ in scale by a factor of 16; gradient
// descent at the best of some rates does not.
func TestSINGDFindsOptimum(t *testing.T) {
	const rows, in, out, steps = 16, 3, 2, 400
	batch, _ := linearProblem(t, rows, in, out)
	y := batch.T[0].Float64s()
	for i, v := range outputsOf(batch.X[0].Float64s(), []float64{1, -1, 0.3, 0.5, 0.1, -0.05, 0.5, 2}, rows, in, out) {
		y[i] = v
	}
	for name, model := range map[string]graph.Model{"linear": layers.MLP(in, out), "deep": layers.Sequential(layers.Dense(in, 4, apoops.Identity), layers.Dense(4, out, apoops.Identity))} {
		relative := func(o rule.Optimizer) float64 {
			n := newTraining(t, model, graph.SquaredError, o, batch, nil)
			first := array.Norm(n.gradient(t, batch)[0])
			for range steps {
				n.step(t, batch)
			}
			return array.Norm(n.gradient(t, batch)[0]) / first
		}
		c := SINGD(0.005)
		c.FactorEvery, c.FactorLR, c.Normalize, c.Empirical = 1, 0.1, true, false
		if far := relative(c); !(far < 1e-5) {
			t.Errorf("%s: the gradient's norm is %v of the first", name, far)
		}
		best := math.Inf(1)
		for _, rate := range []float64{1e-4, 3e-4, 1e-3, 3e-3, 1e-2} {
			if far := relative(rule.SGD(rate)); far < best {
				best = far
			}
		}
		if best < 1e-5 {
			t.Errorf("%s: gradient descent comes to %v too", name, best)
		}
	}
}

// TestSINGDKeepsFactors takes inputs whose moments overflow: K and C stay, and that counts.
func TestSINGDKeepsFactors(t *testing.T) {
	batches := classes(2, 12)
	x := batches[1].X[0].Float64s()
	for i := range x {
		x[i] *= 1e200
	}
	c := SINGD(1e-250)
	c.FactorEvery = 1
	n := newTraining(t, perceptron(), graph.SoftmaxCrossEntropy, c, batches[0], nil)
	n.step(t, batches[0])
	before := slices.Clone(stateOf(n.rule)["dense0/K"])
	n.step(t, batches[1])
	if !slices.Equal(stateOf(n.rule)["dense0/K"], before) {
		t.Error("K has changed")
	}
	if f := n.rule.Fallbacks(); f != 1 {
		t.Errorf("%d fallbacks, want 1", f)
	}
	for name, s := range stateOf(n.rule) {
		if !array.AllFinite(tensor.New(tensor.WithShape(len(s)), tensor.WithBacking(s))) {
			t.Errorf("%s is not finite", name)
		}
	}
}
