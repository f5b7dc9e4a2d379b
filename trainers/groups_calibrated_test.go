package trainers

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/group"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// calibratedKFAC is KFAC as Calibrated takes it.
func calibratedKFAC(lr float64) Optimizer {
	c := KFAC(lr)
	c.KLClip, c.FactorEvery, c.InverseEvery = 0, 2, 4
	return c
}

// TestCalibratedGroupsAreTheirRule: one group of all parameters, and two groups with the same
// rule and rate, take the steps of the ungrouped run to the bit.
func TestCalibratedGroupsAreTheirRule(t *testing.T) {
	rules := map[string]func(lr float64) Optimizer{"kfac": calibratedKFAC}
	for name := range rateRules(1) {
		if _, grouped := rateRules(1)[name].(rule.Grouped); !grouped {
			rules[name] = func(lr float64) Optimizer { return rateRules(lr)[name] }
		}
	}
	for name, o := range rules {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dt), func(t *testing.T) {
				start := func(o Optimizer) *Trainer {
					if c, ok := o.(*group.Config); ok {
						c.DecayAll = true
					}
					tr := toyTrainer(t, o, Dtype(dt), EveryK(3), Seed(4), Calibrated(CalibratedConfig{Lambda0: 0.3, Horizon: 30}), CalibrateFrom(toySource(t, dt)))
					run(t, tr, 0, 20)
					return tr
				}
				alone := start(o(0.001))
				for what, c := range map[string]Optimizer{
					"all":  Groups(Muon(3), Group{Params: []string{"*"}, Optimizer: o(0.001)}),
					"rest": Groups(o(0.001)),
					"two":  Groups(o(0.001), Group{Params: []string{"dense0"}}),
				} {
					group := start(c)
					for i, p := range alone.Params() {
						sameArray(t, what+": "+p.Name, group.Params()[i].Value, p.Value)
					}
					for k, r := range group.Rates() {
						if r != alone.Rates()[0] {
							t.Errorf("%s: rate %d is %v, alone %v", what, k, r, alone.Rates()[0])
						}
					}
					for i, a := range alone.engine.learner.State() {
						sameArray(t, what+": "+a.Name, group.engine.learner.State()[i].Value, a.Value)
					}
				}
			})
		}
	}
}

// TestCalibratedGroupsMeasureTheirLine compares what FindRate measures with groups at the rates
// b and ρ·b with <∇J, e> and with the loss at θ - b·e, where e is g and ρ·g.
func TestCalibratedGroupsMeasureTheirLine(t *testing.T) {
	const ratio = 1.0 / 3
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		tolerance := map[tensor.Dtype]float64{tensor.Float32: 2e-3, tensor.Float64: 1e-9}[dt]
		o := Groups(SGD(0.001), Group{Params: []string{"dense0"}, Optimizer: SGD(0.001 * ratio)})
		tr, err := New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), toyLoss, o, Dtype(dt), EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		b := rowsOf(toyData(t, dt), 0, 12)
		found, err := tr.FindRate(func(int) (graph.Batch, error) { return b, nil }, CalibratedConfig{Batches: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r := found.Rates; len(r) != 2 || r[0] != found.Rate || math.Abs(r[1]-ratio*r[0]) > 1e-12*r[0] {
			t.Fatalf("rates %v, that of the first group is %v", r, found.Rate)
		}
		var n, w float64
		theta, e := make([]*tensor.Dense, 2), make([]*tensor.Dense, 2)
		for i, g := range tr.LastGradient() {
			theta[i], e[i] = tr.Params()[i].Value.Clone().(*tensor.Dense), g.Value.Clone().(*tensor.Dense)
			square := array.SumSquares(g.Value)
			if g.Name == "dense0" {
				array.Scale(e[i], ratio)
				square *= ratio
			}
			n, w = n+square, w+array.SumSquares(e[i])
		}
		before, _, err := tr.gradient(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range append(found.Rounds, found.Curve...) {
			if math.Abs(r.N-n) > tolerance*n || math.Abs(r.W-w) > tolerance*w {
				t.Errorf("%v: N = %v and W = %v, want %v and %v", dt, r.N, r.W, n, w)
			}
			for i, p := range tr.Params() {
				step := e[i].Clone().(*tensor.Dense)
				array.Scale(step, r.Rate)
				moved, err := theta[i].Sub(step)
				if err != nil {
					t.Fatal(err)
				}
				array.Copy(p.Value, moved)
			}
			after, _, err := tr.gradient(b)
			if err != nil {
				t.Fatal(err)
			}
			if want := after - before; math.Abs(r.LossChange(r.Rate)-want) > tolerance*(math.Abs(want)+before*1e-3) {
				t.Errorf("%v, rate %v: the loss changes by %v, measured %v", dt, r.Rate, want, r.LossChange(r.Rate))
			}
		}
		best := found.Curve[len(found.Curve)-5] // at the rate found
		if math.Abs(best.Rate-found.Rate) > 1e-12*found.Rate || math.Abs(best.N/best.L/found.Rate-1) > 0.11 {
			t.Errorf("%v: η* is %v at the rate %v", dt, best.N/best.L, found.Rate)
		}
	}
}

// TestCalibratedGroupsKeepTheirRatios at bounds too, but for the correction of each rule and the
// schedule of each group; a frozen group stays.
func TestCalibratedGroupsKeepTheirRatios(t *testing.T) {
	o := Groups(SGDm(0.01),
		Group{Params: []string{"dense0"}, Frozen: true},
		Group{Params: []string{"norm1/*"}, Optimizer: RMSprop(0.002), Schedule: StepDecay(0.5, 4)})
	for what, opts := range map[string][]Option{"free": nil, "bounds": {RateBounds(0.001, 0.012)}, "schedule": {WithSchedule(Cosine(40, 0))}} {
		tr, err := New(normedNet(), toyLoss, o, append(opts, Dtype(tensor.Float64), EveryK(2), Calibrated(CalibratedConfig{}))...)
		if err != nil {
			t.Fatal(err)
		}
		frozen, start := tr.Params()[0].Value.Clone().(*tensor.Dense), tr.Rates()[0]
		for step := range 12 {
			run(t, tr, step, step+1)
			r, want := tr.engine.Update.Rates(step, 1), 0.2*math.Sqrt(1-math.Pow(0.99, float64(step+1)))
			if step >= 4 {
				want *= 0.5
			}
			if len(r) != 2 || math.Abs(r[1]/r[0]-want) > 1e-12 {
				t.Fatalf("%s, step %d: rates %v, whose ratio must be %v", what, step, r, want)
			}
		}
		if tr.Rates()[0] == start {
			t.Errorf("%s: the rates have not moved", what)
		}
		if b := base(tr); what == "bounds" && (b > 0.012 || b < 0.005) { // 0.001/0.2
			t.Errorf("b = %v is out of its bounds", b)
		}
		sameArray(t, what+": frozen", tr.Params()[0].Value, frozen)
	}
}

// TestCalibratedGroupsResume goes on among schedules, with several rules and a frozen group.
func TestCalibratedGroupsResume(t *testing.T) {
	resumesExactly(t, func() *Trainer {
		o := Groups(calibratedKFAC(0.01),
			Group{Params: []string{"dense2"}, Frozen: true},
			Group{Params: []string{"norm1/*"}, Optimizer: Adam(0.002), Schedule: StepDecay(0.5, 4, 8)})
		tr, err := New(normedNet(), toyLoss, o, EveryK(3), Seed(4), Calibrated(CalibratedConfig{Horizon: 30, Lambda0: 0.1}), CalibrateFrom(toySource(t, tensor.Float32)))
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}, 1, 7, 8, 9)
}

// TestCalibratedGroupsDivided has several members take the steps of one.
func TestCalibratedGroupsDivided(t *testing.T) {
	toyTask(t).compare(t, func() Optimizer {
		return Groups(Adam(0.001), Group{Params: []string{"dense0"}, Optimizer: SGDm(0.01)})
	}, Calibrated(CalibratedConfig{Lambda0: 0.1}))
}

// TestCalibratedNamesTheGroup whose rule it cannot calibrate.
func TestCalibratedNamesTheGroup(t *testing.T) {
	first := []string{"dense0"}
	for what, c := range map[string]struct {
		o    Optimizer
		opts []Option
		want []string
	}{
		"no line search":      {Groups(SGD(0.1), Group{Params: first, Optimizer: Muon(0.1)}), nil, []string{"groups: group 0: muon has no line search"}},
		"in the rest":         {Groups(Muon(0.1), Group{Params: first, Optimizer: SGD(0.1)}), nil, []string{"groups: the rest: muon has no line search"}},
		"settings of a rule":  {Groups(SGD(0.1), Group{Params: first}, Group{Params: []string{"dense1"}, Optimizer: KFAC(0.1)}), nil, []string{"groups: group 1: kfac: a KL clip"}},
		"a rate a parameter":  {Groups(SGD(0.1)), []Option{RatePerParam()}, []string{"one factor on those of Groups", "RatePerParam"}},
		"rates without group": {SGD(0.1), []Option{RatePerParam()}, []string{"one rate for all parameters", "RatePerParam"}},
	} {
		_, err := New(layers.MLP(4, 5, 3), toyLoss, c.o, append(c.opts, Calibrated(CalibratedConfig{}))...)
		wantError(t, what, err, append(c.want, "Calibrated")...)
	}
}
