package extend

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// each runs a test for both rules in both dtypes.
func each(t *testing.T, test func(t *testing.T, name string, dt tensor.Dtype)) {
	for name := range rules {
		for _, dt := range dtypes {
			t.Run(name+" "+dt.String(), func(t *testing.T) { test(t, name, dt) })
		}
	}
}

// formulas are the rules written down plainly: they move the weights w of a
// parameter by its gradient g, with a state that starts at 0.
var formulas = map[string]func(w, g, state []float64){
	"adagrad": func(w, g, sum []float64) {
		for i := range w {
			sum[i] += g[i] * g[i]
			w[i] -= rate * g[i] / (math.Sqrt(sum[i]) + 1e-10)
		}
	},
	"lars": func(w, g, m []float64) {
		ratio := 0.01 * math.Sqrt(squares(w)/squares(g))
		for i := range w {
			m[i] = 0.9*m[i] + ratio*g[i]
		}
		for i := range w {
			w[i] -= rate * m[i]
		}
	},
}

func squares(x []float64) (sum float64) {
	for _, v := range x {
		sum += v * v
	}
	return sum
}

// TestPlainSteps compares training without meta-steps with the formulas.
func TestPlainSteps(t *testing.T) {
	each(t, func(t *testing.T, name string, dt tensor.Dtype) {
		tolerance := 1e-12
		if dt == tensor.Float32 {
			tolerance = 1e-5
		}
		tr := newTrainer(t, dt, rules[name](rate), trainers.EveryK(0))
		params := tr.Params()
		want, state := make([][]float64, len(params)), make([][]float64, len(params))
		for i, p := range params {
			want[i], state[i] = slices.Clone(numbers(p.Value)), make([]float64, p.Value.DataSize())
		}
		for step := range 5 {
			train(t, dt, tr, step, step+1)
			for i, g := range tr.LastGradient() {
				formulas[name](want[i], numbers(g.Value), state[i])
				for j, got := range numbers(params[i].Value) {
					if math.Abs(got-want[i][j]) > tolerance {
						t.Fatalf("step %d: element %d of %s is %v, want %v", step, j, params[i].Name, got, want[i][j])
					}
				}
			}
		}
	})
}

// TestNoMetaSteps has the bits of the rule alone where there are no meta-steps.
func TestNoMetaSteps(t *testing.T) {
	each(t, func(t *testing.T, name string, dt tensor.Dtype) {
		o, tr := rules[name](rate), newTrainer(t, dt, rules[name](rate), trainers.EveryK(0))
		params, err := model().Init(3, dt)
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.Start(&rule.Task{Params: params})
		if err != nil {
			t.Fatal(err)
		}
		for step := range 10 {
			train(t, dt, tr, step, step+1)
			var g []*tensor.Dense
			for _, d := range tr.LastGradient() {
				g = append(g, d.Value)
			}
			d, err := r.Directions(rule.Input{T: step + 1, G: g})
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range params {
				descend(p.Value, d[i])
				if got := tr.Params()[i].Value; !slices.Equal(numbers(got), numbers(p.Value)) {
					t.Fatalf("step %d: %s is %v, want %v", step, p.Name, got, p.Value)
				}
			}
		}
	})
}

// descend is w ← w - rate·d.
func descend(w, d *tensor.Dense) {
	if w.Dtype() == tensor.Float64 {
		for i, v := range d.Float64s() {
			w.Float64s()[i] -= rate * v
		}
		return
	}
	for i, v := range d.Float32s() {
		w.Float32s()[i] -= rate * v
	}
}

// TestMetaGradient compares ∂Q/∂φ, φ = log η, with central differences of Q: at the
// first step, and at the fourth, when the rule has a state. The meta-step ends with the next
// mini-batch.
func TestMetaGradient(t *testing.T) {
	const h = 1e-4
	for name := range rules {
		for _, step := range []int{0, 3} {
			// q is Q of the step, with φ moved by shift before it, and the gradient there.
			q := func(shift float64) (q, gradient float64) {
				tr := newTrainer(t, tensor.Float64, rules[name](rate), trainers.EveryK(3), trainers.FSD(0.7), trainers.WSD(0.3))
				train(t, tensor.Float64, tr, 0, step)
				tr.Phi()[0].Value.Float64s()[0] += shift
				train(t, tensor.Float64, tr, step, step+1)
				stats, err := tr.Step(batch(tensor.Float64, step+1))
				if err != nil {
					t.Fatal(err)
				}
				return stats.Meta.Q, tr.LastMetaGradient()[0].Value.Float64s()[0]
			}
			above, _ := q(h)
			below, _ := q(-h)
			_, got := q(0)
			if want := (above - below) / (2 * h); math.Abs(got-want) > 1e-6*math.Abs(want) || want == 0 {
				t.Errorf("%s, step %d: ∂Q/∂φ is %v, by differences %v", name, step, got, want)
			}
		}
	}
}

// TestLearnsRate starts far too low: MetaAdam raises the rate, and the loss falls
// further than at the fixed rate.
func TestLearnsRate(t *testing.T) {
	each(t, func(t *testing.T, name string, dt tensor.Dtype) {
		const low, steps = 1e-4, 300
		fixed := newTrainer(t, dt, rules[name](low), trainers.EveryK(0))
		apo := newTrainer(t, dt, rules[name](low), trainers.EveryK(2), trainers.Meta(trainers.MetaAdam(0.1)))
		a, b := train(t, dt, fixed, 0, steps), train(t, dt, apo, 0, steps)
		last, lastAPO := mean(a[steps-20:]), mean(b[steps-20:])
		if !(lastAPO < 0.8*last) || !(apo.Rates()[0] > 10*low) {
			t.Errorf("loss %v at rate %v, with APO %v at %v", last, low, lastAPO, apo.Rates())
		}
	})
}

// TestCalibrated finds Adagrad's rate from a start that is far too low. LARS has no
// step that is linear in the gradient, so that Calibrated refuses it.
func TestCalibrated(t *testing.T) {
	calibrated := trainers.Calibrated(trainers.CalibratedConfig{Horizon: 100})
	for _, dt := range dtypes {
		tr := newTrainer(t, dt, Adagrad(1e-6), calibrated)
		losses := train(t, dt, tr, 0, 100)
		if first, last := mean(losses[:10]), mean(losses[90:]); !(last < 0.8*first) {
			t.Errorf("%v: loss %v at first, %v in the end at rate %v", dt, first, last, tr.Rates())
		}
	}
	_, err := trainers.New(model(), loss, LARS(rate), calibrated)
	if err == nil || !strings.Contains(err.Error(), "lars") {
		t.Errorf("LARS calibrated: %v", err)
	}
}

// TestResume goes on from a checkpoint with the same bits.
func TestResume(t *testing.T) {
	each(t, func(t *testing.T, name string, dt tensor.Dtype) {
		opts := []trainers.Option{trainers.EveryK(3), trainers.FSD(0.5), trainers.WSD(0.1)}
		whole, part, again := newTrainer(t, dt, rules[name](rate), opts...), newTrainer(t, dt, rules[name](rate), opts...), newTrainer(t, dt, rules[name](rate), opts...)
		path := filepath.Join(t.TempDir(), "checkpoint")
		losses := train(t, dt, whole, 0, 16)
		train(t, dt, part, 0, 8)
		if err := part.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := again.Load(path); err != nil {
			t.Fatal(err)
		}
		if rest := train(t, dt, again, 8, 16); !slices.Equal(rest, losses[8:]) {
			t.Errorf("losses %v, without a stop %v", rest, losses[8:])
		}
		for i, p := range whole.Params() {
			if got := again.Params()[i]; !slices.Equal(numbers(got.Value), numbers(p.Value)) {
				t.Errorf("%s differs", p.Name)
			}
		}
		if !slices.Equal(again.Rates(), whole.Rates()) {
			t.Errorf("rates %v, without a stop %v", again.Rates(), whole.Rates())
		}
		other := newTrainer(t, dt, trainers.SGDm(rate), opts...)
		if err := other.Load(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("loaded by SGDm: %v", err)
		}
	})
}

// TestSettings has hyperparameters out of range, which are refused by name.
func TestSettings(t *testing.T) {
	for field, o := range map[string]trainers.Optimizer{
		"adagrad: lr is -1":     Adagrad(-1),
		"adagrad: eps is 0":     &AdagradConfig{LR: 1},
		"lars: lr is NaN":       LARS(math.NaN()),
		"lars: momentum is 1":   &LARSConfig{LR: 1, Momentum: 1, Trust: 1},
		"lars: trust is -0.001": &LARSConfig{LR: 1, Trust: -0.001},
	} {
		if _, err := trainers.New(model(), loss, o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%q: %v", field, err)
		}
	}
}
