package trainers

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pkg/errors"
	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TestFindRateClosedForm compares the rate and the curve with those of linear least squares,
// from rates far below and above.
func TestFindRateClosedForm(t *testing.T) {
	const lambda0, lambdaW = 0.7, 0.2
	rng := rand.New(rand.NewPCG(3, 1))
	q := newQuadratic(rng, 12, 3, 2)
	batch := q.batch(rng)
	source := func(int) (graph.Batch, error) { return batch, nil }
	for _, start := range []float64{1e-4, 1, 1e3} {
		for _, c := range []CalibratedConfig{{}, {Lambda0: lambda0, LambdaWSD: lambdaW}} {
			tr, err := New(q.model, graph.SquaredError, SGD(start), Dtype(tensor.Float64), FSD(1, weighted(q.c)))
			if err != nil {
				t.Fatal(err)
			}
			found, err := tr.FindRate(source, c)
			if err != nil {
				t.Fatal(err)
			}
			g := mat.NewVecDense(q.n*q.m, tr.LastGradient()[0].Value.Float64s())
			gg := mat.Dot(g, g)
			h, f := mat.Inner(g, squaredErrorHessian(q), g), mat.Inner(g, q.curvature(), g)
			want := gg / (h + c.Lambda0*f + c.LambdaWSD*gg)
			if !found.Converged || math.Abs(found.Rate-want) > 1e-6*want {
				t.Errorf("from %v: %v, the closed form gives %v (converged: %v)", start, found.Rate, want, found.Converged)
			}
			first, last := found.Curve[0].Rate, found.Curve[len(found.Curve)-1].Rate
			if math.Abs(first-want/16) > 1e-5*want || math.Abs(last-4*want) > 1e-5*want {
				t.Errorf("the curve goes from %v to %v times the rate", first/want, last/want)
			}
			for _, r := range found.Curve {
				rho := r.Rate
				exact := -rho*gg + rho*rho*h/2
				if got := r.LossChange(rho); math.Abs(got-exact) > 1e-6*(rho*gg) {
					t.Errorf("at %v the loss changes by %v, the closed form by %v", rho, got, exact)
				}
			}
		}
	}
}

// TestFindRateClipped compares the rate along the step of a clipped gradient e with that of
// linear least squares, <g, e>/<e, H·e>. Calibrated begins with that rate, whether it has a
// source of mini-batches or not, and its first step is that along e.
func TestFindRateClipped(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	q := newQuadratic(rng, 12, 3, 2)
	batch := q.batch(rng)
	source := func(int) (graph.Batch, error) { return batch, nil }
	start := func(opts ...Option) *Trainer {
		tr, err := New(q.model, graph.SquaredError, SGD(1e-3), append([]Option{Dtype(tensor.Float64), FSD(0), EveryK(1)}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	whole := start()
	if _, err := whole.FindRate(source, CalibratedConfig{}); err != nil {
		t.Fatal(err)
	}
	g := whole.LastGradient()[0].Value.Float64s()
	norm := normOf(g)
	for name, clip := range map[string]clipping{"norm": {norm: norm / 5}, "longer": {norm: 5 * norm}, "value": {value: norm / 10}, "both": {norm / 4, norm / 10}} {
		var opts []Option
		if clip.norm > 0 {
			opts = append(opts, ClipNorm(clip.norm))
		}
		if clip.value > 0 {
			opts = append(opts, ClipValue(clip.value))
		}
		clipped := denseOf(slices.Clone(g), len(g))
		if _, err := clip.apply([]*tensor.Dense{clipped}, norm); err != nil {
			t.Fatal(err)
		}
		e := clipped.Float64s()
		v := mat.NewVecDense(len(e), e)
		want := mat.Dot(mat.NewVecDense(len(g), g), v) / mat.Inner(v, squaredErrorHessian(q), v)
		found, err := start(opts...).FindRate(source, CalibratedConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if !found.Converged || math.Abs(found.Rate-want) > 1e-6*want {
			t.Errorf("%s: the rate is %v, the closed form gives %v", name, found.Rate, want)
		}
		opts = append(opts, Calibrated(CalibratedConfig{}))
		for from, tr := range map[string]*Trainer{"the first mini-batch": start(opts...), "a source": start(append(opts, CalibrateFrom(source))...)} {
			before := slices.Clone(tr.Params()[0].Value.Float64s())
			if _, err := tr.Step(batch); err != nil {
				t.Fatal(err)
			}
			if r := base(tr); math.Abs(r-want) > 1e-6*want {
				t.Errorf("%s: Calibrated by %s begins with %v, the closed form gives %v", name, from, r, want)
			}
			for i, x := range tr.Params()[0].Value.Float64s() {
				if step := before[i] - x; math.Abs(step-base(tr)*e[i]) > 1e-9*(1+math.Abs(step)) {
					t.Errorf("%s: Calibrated by %s moves element %d by %v, not %v", name, from, i, step, base(tr)*e[i])
				}
			}
		}
	}
}

// TestFindRateStaysWithinBounds has bounds below and above the rate that suits.
func TestFindRateStaysWithinBounds(t *testing.T) {
	search := func(opts ...Option) float64 {
		found, err := toyTrainer(t, SGD(0.1), append(opts, EveryK(0))...).FindRate(toySource(t, tensor.Float32), CalibratedConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return found.Rate
	}
	rate := search()
	for _, c := range []struct{ lo, hi, want, within float64 }{
		{rate / 1000, rate / 100, rate / 100, 1e-9}, {10 * rate, 100 * rate, 10 * rate, 1e-9}, {rate / 2, rate * 2, rate, 0.15},
	} {
		if got := search(RateBounds(c.lo, c.hi)); math.Abs(got-c.want) > c.within*c.want {
			t.Errorf("%v within %v and %v, want %v", got, c.lo, c.hi, c.want)
		}
	}
}

// TestFindRateIsCalibrateds compares it with the rate that Calibrated begins with.
func TestFindRateIsCalibrateds(t *testing.T) {
	for name, o := range rateRules(0.01) {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			calibrated := toyTrainer(t, rateRules(0.01)[name], Dtype(dt), Calibrated(CalibratedConfig{}), CalibrateFrom(toySource(t, dt)))
			run(t, calibrated, 0, 1)
			found, err := toyTrainer(t, o, Dtype(dt), EveryK(0)).FindRate(toySource(t, dt), CalibratedConfig{})
			if err != nil {
				t.Fatal(err)
			}
			// The first tracking may move Calibrated's within a factor of 2.
			if r := found.Rate / base(calibrated); r < 0.499 || r > 2.001 {
				t.Errorf("%s, %v: %v, Calibrated begins with %v", name, dt, found.Rate, base(calibrated))
			}
		}
	}
}

// TestFindRateLeavesNoTraces goes on after it as if it had not been called.
func TestFindRateLeavesNoTraces(t *testing.T) {
	for name := range rateRules(1) {
		plain, searched := toyTrainer(t, rateRules(0.01)[name], EveryK(2)), toyTrainer(t, rateRules(0.01)[name], EveryK(2))
		run(t, plain, 0, 3)
		run(t, searched, 0, 3)
		if _, err := searched.FindRate(toySource(t, tensor.Float32), CalibratedConfig{Lambda0: 1}); err != nil {
			t.Fatal(err)
		}
		run(t, plain, 3, 7)
		run(t, searched, 3, 7)
		for i, p := range plain.Params() {
			sameArray(t, name+", "+p.Name, p.Value, searched.Params()[i].Value)
		}
		if a, b := plain.Rates()[0], searched.Rates()[0]; a != b {
			t.Errorf("%s: rates %v and %v", name, a, b)
		}
	}
}

// TestFindRateRefusals has searches that cannot be.
func TestFindRateRefusals(t *testing.T) {
	good := toySource(t, tensor.Float32)
	for _, c := range []struct {
		name   string
		o      Optimizer
		source func(int) (graph.Batch, error)
		config CalibratedConfig
		words  []string
	}{
		{"no source", SGD(0.1), nil, CalibratedConfig{}, []string{"no function"}},
		{"no rates", Precond(0.1), good, CalibratedConfig{}, []string{"no learning rate"}},
		{"a negative weight", SGD(0.1), good, CalibratedConfig{LambdaWSD: -1}, []string{"lambda_wsd"}},
		{"no batches", SGD(0.1), good, CalibratedConfig{Batches: -1}, []string{"batches"}},
		{"a source that fails", SGD(0.1), func(i int) (graph.Batch, error) {
			if i == 2 {
				return graph.Batch{}, errors.New("disk full")
			}
			return good(i)
		}, CalibratedConfig{}, []string{"mini-batch 2", "disk full"}},
		{"a source without inputs", SGD(0.1), func(int) (graph.Batch, error) {
			return graph.NewBatch(nil, denseOf([]int{1}, 1)), nil
		}, CalibratedConfig{}, []string{"mini-batch 0", "input 0", "missing"}},
		{"a source of B' without inputs", SGD(0.1), func(i int) (graph.Batch, error) {
			if i == 5 {
				return graph.NewBatch(nil, nil), nil
			}
			return good(i)
		}, CalibratedConfig{Lambda0: 1}, []string{"B'", "input 0", "missing"}},
	} {
		_, err := toyTrainer(t, c.o, EveryK(0)).FindRate(c.source, c.config)
		wantError(t, c.name, err, append(c.words, "FindRate")...)
	}
	_, err := new(Trainer).FindRate(good, CalibratedConfig{})
	wantError(t, "a zero value", err, "no training")
	tr := toyTrainer(t, ScheduleFreeSGD(0.1))
	err = tr.Evaluated(func() error {
		_, err := tr.FindRate(good, CalibratedConfig{})
		return err
	})
	wantError(t, "within Evaluated", err, "Evaluated")
}

// TestFindRateOfAProblem searches on graphs of a user's, dropout and fixed leaves among them,
// and finds what Calibrated begins with.
func TestFindRateOfAProblem(t *testing.T) {
	for name, build := range stockNets {
		s := newStockNet(tensor.Float64, 4, build)
		tr := fromStock(t, s, SGD(0.01), EveryK(0))
		source := func(i int) (graph.Batch, error) { return s.batch(i), nil }
		found, err := tr.FindRate(source, CalibratedConfig{Batches: 3})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		other := newStockNet(tensor.Float64, 4, build)
		calibrated := fromStock(t, other, SGD(0.01), Calibrated(CalibratedConfig{Batches: 3}), CalibrateFrom(source))
		trainStock(t, other, calibrated, 0, 1)
		if r := found.Rate / base(calibrated); r < 0.499 || r > 2.001 {
			t.Errorf("%s: %v, Calibrated begins with %v", name, found.Rate, base(calibrated))
		}
	}
}
