package trainers

import (
	"math"
	"math/rand/v2"
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
