package trainers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// rateRules are rules that Calibrated knows.
func rateRules(lr float64) map[string]Optimizer {
	nesterov, corrected := SGDm(lr), RMSprop(lr)
	nesterov.Nesterov, corrected.BiasCorrection = true, true
	return map[string]Optimizer{
		"sgd": SGD(lr), "sgdm": SGDm(lr), "nesterov": nesterov, "rmsprop": RMSprop(lr), "corrected": corrected, "adam": Adam(lr), "adamw": AdamW(lr),
		"groups": Groups(SGDm(lr), Group{Params: []string{"dense0"}, Optimizer: Adam(lr / 3)}),
	}
}

// base is b of a trainer with Calibrated.
func base(tr *Trainer) float64 { return math.Exp(tr.Phi()[0].Value.Float64s()[0]) }

// TestCalibratedClosedForm compares what is measured on linear least squares
// with H = XᵀX/N ⊗ I and the curvature G of the divergence, and the calibrated
// rate with gᵀg/(gᵀ(H + λ_0·G + λ_W·I)g).
func TestCalibratedClosedForm(t *testing.T) {
	const lambda0, lambdaW = 0.7, 0.2
	rng := rand.New(rand.NewPCG(3, 1))
	q := newQuadratic(rng, 12, 3, 2)
	for _, start := range []float64{1e-4, 1, 1e3} {
		tr, err := New(q.model, graph.SquaredError, SGD(start), Dtype(tensor.Float64), FSD(1, weighted(q.c)),
			Calibrated(CalibratedConfig{Lambda0: lambda0, LambdaWSD: lambdaW}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.StepWith(q.batch(rng), []*tensor.Dense{q.x}); err != nil {
			t.Fatal(err)
		}
		g := mat.NewVecDense(q.n*q.m, tr.LastGradient()[0].Value.Float64s())
		gg := mat.Dot(g, g)
		h, f := mat.Inner(g, squaredErrorHessian(q), g), mat.Inner(g, q.curvature(), g)
		a := tr.engine.learner.State()[0].Value.Float64s()
		for i, want := range []float64{1, h / gg, f / gg} {
			if got := a[i] / a[3]; math.Abs(got-want) > 1e-6*want {
				t.Errorf("from %v: average %d is %v, the closed form %v", start, i, got, want)
			}
		}
		want := gg / (h + lambda0*f + lambdaW*gg)
		if b := base(tr); math.Abs(b-want) > 1e-6*want {
			t.Errorf("from %v: b = %v, the closed form gives %v", start, b, want)
		}
	}
}

// TestSearchDirections compares every rule's search direction with its formula, after
// a few steps. The element has θ = 2.
func TestSearchDirections(t *testing.T) {
	grads := []float64{0.5, -1, 0.25, 0.75}
	last, v, steps := grads[3], 0.0, float64(len(grads))
	second := func(beta, decay float64) float64 {
		v = 0
		for _, g := range grads {
			g += decay * 2
			v = beta*v + (1-beta)*g*g
		}
		return v
	}
	l2, decayed := SGDm(0.1), AdamW(0.1)
	l2.WeightDecay, decayed.WeightDecay = 0.1, 0.5
	heavy, corrected, adamL2 := RMSprop(0.1), RMSprop(0.1), Adam(0.1)
	heavy.Momentum, corrected.BiasCorrection, adamL2.WeightDecay = 0.5, true, 0.1
	c := math.Sqrt(1 - math.Pow(0.99, steps))
	adam := func(g, v float64) float64 {
		return g / (math.Sqrt(v/(1-math.Pow(0.999, steps))) + 1e-8) / 1.9
	}
	for what, x := range map[string]struct {
		o                Optimizer
		want, correction float64
	}{
		"sgd":          {SGD(0.1), last, 1},
		"sgdm":         {SGDm(0.1), last / 0.19, 1},
		"nesterov":     {rateRules(0.1)["nesterov"], last / 0.19, 1},
		"sgdm L2":      {l2, (last + 0.2) / 0.19, 1},
		"rmsprop":      {RMSprop(0.1), c * last / (math.Sqrt(second(0.99, 0)) + 1e-8), c},
		"corrected":    {corrected, last / (math.Sqrt(second(0.99, 0))/c + 1e-8), 1},
		"with inertia": {heavy, c * last / (math.Sqrt(second(0.99, 0)) + 1e-8) / 0.75, c},
		"adam":         {Adam(0.1), adam(last, second(0.999, 0)), 1},
		"adam L2":      {adamL2, adam(last+0.2, second(0.999, 0.1)), 1},
		"adamw":        {decayed, adam(last, second(0.999, 0)), 1},
	} {
		w := &graph.Param{Name: "w", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{2}))}
		r, err := x.o.Start(&rule.Task{Params: []*graph.Param{w}})
		if err != nil {
			t.Fatal(err)
		}
		var e []*tensor.Dense
		for i, g := range grads {
			s := rule.Input{T: i + 1, G: []*tensor.Dense{tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{g}))}}
			if _, err := r.Directions(s); err != nil {
				t.Fatal(err)
			}
			if e, err = r.LineSearch().SearchDirection(s); err != nil {
				t.Fatal(err)
			}
		}
		if got := e[0].Float64s()[0]; math.Abs(got-x.want) > 1e-12*math.Abs(x.want) {
			t.Errorf("%s: e = %v, want %v", what, got, x.want)
		}
		if got := r.LineSearch().Correction(0, len(grads)); math.Abs(got-x.correction) > 1e-15 {
			t.Errorf("%s: c_t = %v, want %v", what, got, x.correction)
		}
	}
}

func TestCalibratedResumesExactly(t *testing.T) {
	for name := range rateRules(1) {
		t.Run(name, func(t *testing.T) {
			resumesExactly(t, func() *Trainer {
				return toyTrainer(t, rateRules(0.001)[name], EveryK(3), Seed(4), Calibrated(CalibratedConfig{Horizon: 30}), CalibrateFrom(toySource(t, tensor.Float32)))
			}, 7, 8, 9)
		})
	}
}

// resumesExactly stops a training of 20 steps after so many: the one that goes on from the
// checkpoint has the bits of the one that was never stopped.
func resumesExactly(t *testing.T, start func() *Trainer, stops ...int) {
	t.Helper()
	whole := start()
	run(t, whole, 0, 20)
	for _, stop := range stops {
		first, second := start(), start()
		run(t, first, 0, stop)
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := second.Load(path); err != nil {
			t.Fatal(err)
		}
		if a, b := first.Rates(), second.Rates(); !slices.Equal(a, b) {
			t.Fatalf("rates %v after loading at step %d, %v before", b, stop, a)
		}
		run(t, second, stop, 20)
		sameBits(t, "resumed", whole.engine, second.engine)
	}
}

func TestCalibratedDropInEqualsTrainer(t *testing.T) {
	for name := range rateRules(1) {
		opts := []Option{EveryK(3), FSD(1, graph.CategoricalKL), Calibrated(CalibratedConfig{Lambda0: 0.1})}
		tr, err := New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), graph.SoftmaxCrossEntropy, rateRules(0.001)[name], opts...)
		if err != nil {
			t.Fatal(err)
		}
		u := newUserGraph(t, tr, 12)
		_, err = Wrap(u.problem, rateRules(0.001)[name], append(opts, CalibrateFrom(toySource(t, tensor.Float32)))...)
		wantError(t, "source for a solver", err, "CalibrateFrom")
		solver, err := Wrap(u.problem, rateRules(0.001)[name], opts...)
		if err != nil {
			t.Fatal(err)
		}
		u.compile(t)
		batches, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 10 {
			b := batches.At(step)
			if _, err := tr.Step(b); err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{gorgonia.Let(u.x, b.X[0]), gorgonia.Let(u.y, b.T[0]), u.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
				if err != nil {
					t.Fatal(err)
				}
			}
			u.vm.Reset()
			sameBits(t, fmt.Sprintf("%s, step %d", name, step), tr.engine, solver.engine)
		}
	}
}

// TestCalibratedSteps checks when the rate is learned, what is recorded, and
// that K = 0 leaves the rule as it is.
func TestCalibratedSteps(t *testing.T) {
	tr := toyTrainer(t, RMSprop(0.001), EveryK(4), Calibrated(CalibratedConfig{Lambda0: 0.5, LambdaWSD: 0.1, Horizon: 10}))
	twin := toyTrainer(t, RMSprop(0.001), EveryK(4), Calibrated(CalibratedConfig{Lambda0: 0.5, LambdaWSD: 0.1, Horizon: 10}))
	b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	var before float64
	for step := range 12 {
		s, err := tr.Step(b.At(step))
		if err != nil {
			t.Fatal(err)
		}
		if (s.Meta != nil) != (step%4 == 0) {
			t.Fatalf("step %d: meta-step %v", step, s.Meta)
		}
		if m := s.Meta; m != nil {
			if q := m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD; m.Q != q || m.LambdaWSD != 0.1 || !(m.WSD > 0) || !(m.FSD > 0) {
				t.Fatalf("step %d: Q = %v of %+v", step, q, *m)
			}
		} else if base(tr) != before {
			t.Fatalf("step %d: b moved from %v to %v", step, before, base(tr))
		}
		before = base(tr)
		lambda := 1.5/max((1+math.Cos(math.Pi*math.Min(float64(step)/10, 1)))/2, 1e-3) - 1
		if m := s.Meta; m != nil && math.Abs(m.LambdaFSD-lambda) > 1e-12*(1+lambda) {
			t.Fatalf("step %d: λ = %v, want %v", step, m.LambdaFSD, lambda)
		}
		a := tr.engine.learner.State()[0].Value.Float64s() // of N/W, L/W, F/W and 1
		l := max(a[1], 0.3*a[2])
		slowdown := (l + 0.5*a[2]) / (l + lambda*a[2])
		want := before * math.Sqrt(1-math.Pow(0.99, float64(step+1))) * slowdown
		if math.Abs(s.Rates[0]-want) > 1e-9*want {
			t.Fatalf("step %d: rate %v, want %v", step, s.Rates[0], want)
		}
	}
	if tr.Rates()[0] > 0.05*before {
		t.Fatalf("at the horizon the rate is %v, b = %v", tr.Rates()[0], before)
	}
	run(t, twin, 0, 12)
	sameBits(t, "two runs", tr.engine, twin.engine)
	off, plain := toyTrainer(t, RMSprop(0.01), EveryK(0), Calibrated(CalibratedConfig{})), toyTrainer(t, RMSprop(0.01), EveryK(0))
	run(t, off, 0, 5)
	run(t, plain, 0, 5)
	sameBits(t, "K = 0", off.engine, plain.engine)
}

// TestCalibratedWarmUp: the rate rises linearly to b, which stays until five meta-steps after
// that; then b follows the averages, which begin after the warm-up.
func TestCalibratedWarmUp(t *testing.T) {
	const k, horizon = 2, 60
	const end, settled = horizon / 10, horizon/10 + 5*k
	steep := func(i int) (graph.Batch, error) { // has a much smaller η* than the training
		b, err := toySource(t, tensor.Float32)(i)
		x := b.X[0].Float32s()
		for j := range x {
			x[j] *= 10
		}
		return b, err
	}
	tr := toyTrainer(t, SGDm(0.001), EveryK(k), FSD(0), Calibrated(CalibratedConfig{Horizon: horizon}), CalibrateFrom(steep))
	b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	var first, before float64
	largest := math.Inf(1)
	for step := range horizon {
		s, err := tr.Step(b.At(step))
		if err != nil {
			t.Fatal(err)
		}
		if step == 0 {
			first = base(tr)
		}
		averages := tr.engine.learner.State()[0].Value.Float64s()
		want := base(tr) * math.Min(1, float64(step+1)/end)
		switch eta := averages[0] / averages[1]; {
		case math.Abs(s.Rates[0]-want) > 1e-12*want: // R = 1 without function-space term
			t.Fatalf("step %d: the rate is %v, want %v", step, s.Rates[0], want)
		case step < settled && base(tr) != first:
			t.Fatalf("step %d: b moved from %v to %v", step, first, base(tr))
		case step < end && averages[3] != 0:
			t.Fatalf("step %d: averages %v in the warm-up", step, averages)
		case step == end && math.Abs(averages[3]-0.1) > 1e-12:
			t.Fatalf("step %d: averages %v of more than one measurement", step, averages)
		case step >= settled && step%k == 0 && math.Abs(base(tr)-min(max(before, eta/2), 2*eta, largest)) > 1e-9*before:
			t.Fatalf("step %d: b went from %v to %v, η* = %v", step, before, base(tr), eta)
		}
		if before = base(tr); step == end+10*k-1 { // where b has settled
			largest = 2 * before
		}
	}
	if before < 2*first {
		t.Fatalf("b went from %v to %v only: the test needs one that moves", first, before)
	}
	for what, c := range map[string]CalibratedConfig{"off": {Horizon: horizon, WarmUp: 1}, "without horizon": {}} {
		tr := toyTrainer(t, SGDm(0.001), Calibrated(c))
		s, err := tr.Step(b.At(0))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(s.Rates[0]-base(tr)) > 1e-12*base(tr) {
			t.Errorf("%s: the first rate is %v, b is %v", what, s.Rates[0], base(tr))
		}
	}
}

// TestCalibratedKnowsExamplesByHeart: where there is nothing left to learn, the loss has next to
// no curvature for its slope. b does not follow that for long, in a resumed run neither.
func TestCalibratedKnowsExamplesByHeart(t *testing.T) {
	const k, settled = 5, 50
	for what, c := range map[string]CalibratedConfig{"horizon": {Horizon: 4 * settled, WarmUp: 1, Rise: 1}, "no horizon": {Growth: settled, Rise: 1}} {
		start := func() *Trainer { return toyTrainer(t, Adam(0.01), EveryK(k), Calibrated(c)) }
		tr, path := start(), filepath.Join(t.TempDir(), "checkpoint")
		flatten := func() { tr.engine.learner.State()[0].Value.Float64s()[0] *= 30 } // N̄, for a large η*
		run(t, tr, 0, settled-k)
		before := base(tr)
		flatten()
		run(t, tr, settled-k, settled) // a meta-step
		if base(tr) < 4*before {
			t.Fatalf("%s: b went from %v to %v only, before it has settled", what, before, base(tr))
		}
		before = base(tr)
		for step := settled; step < 2*settled; step += k {
			flatten()
			run(t, tr, step, step+k)
			if err := tr.Save(path); err != nil {
				t.Fatal(err)
			}
			if tr = start(); tr.Load(path) != nil || base(tr) > 2*before*(1+1e-12) {
				t.Fatalf("%s: step %d: b is %v, it was %v", what, step, base(tr), before)
			}
		}
		if base(tr) < 1.9*before {
			t.Errorf("%s: b went from %v to %v only", what, before, base(tr))
		}
	}
}

func TestCalibratedBoundsAndNonFinite(t *testing.T) {
	tr := toyTrainer(t, SGD(0.01), RateBounds(1e-4, 0.02), Calibrated(CalibratedConfig{}))
	run(t, tr, 0, 1)
	if b := base(tr); math.Abs(b-0.02) > 1e-12 {
		t.Errorf("b = %v above its bound", b)
	}
	model := layers.DeepLinear(4, 8, 3)
	tr, err := New(model, graph.SquaredError, SGD(1e30), RateBounds(1e-8, 1e31), FSD(0), Calibrated(CalibratedConfig{Rounds: 3}))
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.New(tensor.WithShape(6, 4), tensor.WithBacking(tensor.Random(tensor.Float32, 24)))
	y := tensor.New(tensor.WithShape(6, 3), tensor.WithBacking(tensor.Random(tensor.Float32, 18)))
	s, err := tr.Step(graph.NewBatch(x, y))
	if err != nil {
		t.Fatal(err)
	}
	if want := 1e30 / math.Pow(20, 4); !s.Meta.Skipped || tr.Skipped() != 1 || math.Abs(base(tr)-want) > 1e-9*want {
		t.Errorf("b = %v, want %v; %+v", base(tr), want, *s.Meta)
	}
}

// TestCalibratedPrecisions compares runs in float32 and float64.
func TestCalibratedPrecisions(t *testing.T) {
	for name := range rateRules(1) {
		var b [2]float64
		for i, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			model := layers.MLPWith(apoops.TanhAct, 4, 5, 3)
			tr, err := New(model, graph.SoftmaxCrossEntropy, rateRules(1e-5)[name], Dtype(dt), EveryK(2), Calibrated(CalibratedConfig{}))
			if err != nil {
				t.Fatal(err)
			}
			run(t, tr, 0, 20)
			b[i] = base(tr)
		}
		if math.Abs(math.Log(b[0]/b[1])) > 0.03 {
			t.Errorf("%s: b = %v in float32, %v in float64", name, b[0], b[1])
		}
	}
}

// TestCalibratedRefuses checks errors that need a started training.
func TestCalibratedRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		opts []Option
		want string
	}{
		"groups":          {[]Option{RatePerParam()}, "one rate"},
		"λ0 without term": {[]Option{FSD(0), Calibrated(CalibratedConfig{Lambda0: 1})}, "lambda0"},
	} {
		_, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, SGD(0.1), append([]Option{Calibrated(CalibratedConfig{})}, c.opts...)...)
		wantError(t, what, err, "Calibrated", c.want)
	}
}
