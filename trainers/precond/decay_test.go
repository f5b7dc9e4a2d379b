package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/group"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

const decay = 0.1

// decayNet is a net in training with biases that are not 0 and weights from a seed.
func decayNet(t *testing.T, o trainers.Optimizer, bias float64, opts ...trainers.Option) *trainers.Trainer {
	t.Helper()
	tr, err := trainers.New(layers.MLPWith(apoops.TanhAct, 30, 20, 2), graph.SquaredError, o,
		append([]trainers.Option{trainers.Dtype(tensor.Float64), trainers.Seed(3)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.Params() {
		w := p.Value.Float64s()
		for i := len(w) - p.Value.Shape()[1]; i < len(w); i++ {
			w[i] = bias
		}
	}
	return tr
}

func weightsOf(tr *trainers.Trainer) (all [][]float64) {
	for _, p := range tr.Params() {
		all = append(all, append([]float64(nil), p.Value.Float64s()...))
	}
	return all
}

func decayBatch(rows int) graph.Batch {
	rng := rand.New(rand.NewPCG(5, 5))
	return graph.NewBatch(dense(gaussian(rng, rows, 30)), dense(gaussian(rng, rows, 2)))
}

// TestDecayOfOneStep compares a step with weight decay and one without, with P learned
// and from batches that are multiplied as rows and as gradients: they differ by
// LR·WeightDecay·θ, by nothing on biases in groups without DecayAll.
func TestDecayOfOneStep(t *testing.T) {
	t.Parallel()
	const lr = 0.05
	learned := func(d float64) trainers.Optimizer {
		o := precond.New(lr)
		o.WeightDecay, o.WarmUp = d, 5
		return o
	}
	plain := func(d float64) trainers.Optimizer {
		o := precond.Plain(lr)
		o.WeightDecay, o.MomentumMode = d, precond.MomentumNone
		return o
	}
	in := func(all bool, o func(float64) trainers.Optimizer) func(float64) trainers.Optimizer {
		return func(d float64) trainers.Optimizer {
			return &group.Config{Rest: trainers.SGD(lr), Groups: []trainers.Group{{Params: []string{"dense*"}, Optimizer: o(d)}}, DecayAll: all}
		}
	}
	for name, c := range map[string]struct {
		o      func(decay float64) trainers.Optimizer
		biases bool
		opts   []trainers.Option
	}{
		"recommended":                {learned, true, nil},
		"recommended, P at rest":     {learned, true, []trainers.Option{trainers.EveryK(0)}},
		"plain, P at rest":           {plain, true, []trainers.Option{trainers.EveryK(0)}},
		"group":                      {in(false, learned), false, nil},
		"group with DecayAll":        {in(true, learned), true, nil},
		"group, plain":               {in(false, plain), false, []trainers.Option{trainers.EveryK(0)}},
		"group, plain with DecayAll": {in(true, plain), true, []trainers.Option{trainers.EveryK(0)}},
	} {
		for _, rows := range []int{2, 200} {
			with, without := decayNet(t, c.o(decay), 0.7, c.opts...), decayNet(t, c.o(0), 0.7, c.opts...)
			start := weightsOf(with)
			for _, tr := range []*trainers.Trainer{with, without} {
				if _, err := tr.Step(decayBatch(rows)); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			a, b := weightsOf(with), weightsOf(without)
			for i, p := range with.Params() {
				biases := len(a[i]) - p.Value.Shape()[1]
				for j := range a[i] {
					want := lr * decay * start[i][j]
					if j >= biases && !c.biases {
						want = 0
					}
					if got := b[i][j] - a[i][j]; math.Abs(got-want) > 1e-12 {
						t.Fatalf("%s, %d rows: element %d of %s decays by %v, want %v", name, rows, j, p.Name, got, want)
					}
				}
			}
		}
	}
}

// TestDecayWithoutGradient trains on inputs and targets that are all 0, with biases of 0:
// the weight decay alone moves the weights, as each form's equations say.
func TestDecayWithoutGradient(t *testing.T) {
	t.Parallel()
	const lr, mu = 0.2, 0.9
	forms := map[precond.MomentumMode]func(m, w float64) (next, move float64){
		precond.MomentumNone:     func(_, w float64) (float64, float64) { return 0, lr * decay * w },
		precond.MomentumGradient: func(m, w float64) (float64, float64) { m = mu*m + (1-mu)*decay*w; return m, lr * m },
		precond.MomentumPlain:    func(m, w float64) (float64, float64) { m = mu*m + (1-mu)*lr*decay*w; return m, m },
		"recommended":            func(m, w float64) (float64, float64) { m = mu*m + decay*w; return m, lr * m },
	}
	for mode, form := range forms {
		recommended, plain := precond.New(lr), precond.Plain(lr)
		recommended.WeightDecay, plain.WeightDecay, plain.MomentumMode = decay, decay, mode
		o, opts := trainers.Optimizer(recommended), []trainers.Option(nil)
		if mode != "recommended" {
			o, opts = plain, []trainers.Option{trainers.EveryK(0)} // P stays LR·I
		}
		tr := decayNet(t, o, 0, opts...)
		want := weightsOf(tr)
		m := make([][]float64, len(want))
		zero := graph.NewBatch(tensor.New(tensor.WithShape(4, 30), tensor.Of(tensor.Float64)), tensor.New(tensor.WithShape(4, 2), tensor.Of(tensor.Float64)))
		for range 6 {
			if _, err := tr.Step(zero); err != nil {
				t.Fatalf("%s: %v", mode, err)
			}
			for i, w := range want {
				if m[i] == nil {
					m[i] = make([]float64, len(w))
				}
				for j := range w {
					var move float64
					m[i][j], move = form(m[i][j], w[j])
					w[j] -= move
				}
			}
		}
		for i, w := range weightsOf(tr) {
			for j := range w {
				if math.Abs(w[j]-want[i][j]) > 1e-12 {
					t.Fatalf("%s: element %d of %s is %v, want %v", mode, j, tr.Params()[i].Name, w[j], want[i][j])
				}
			}
		}
	}
}

// TestDecayIsChecked has weight decays that are none.
func TestDecayIsChecked(t *testing.T) {
	recommended, plain := precond.New(0.1), precond.Plain(0.1)
	recommended.WeightDecay, plain.WeightDecay = -1, math.NaN()
	for _, o := range []trainers.Optimizer{recommended, plain} {
		if _, err := trainers.New(layers.MLP(2, 1), graph.SquaredError, o); err == nil {
			t.Errorf("%s: a weight decay below 0 or NaN is no error", o.Name())
		}
	}
}

// TestDecayThatIsTooLarge decays by more than float32 can hold, on weights of which some
// parameters are all 0: the step is an error and moves nothing.
func TestDecayThatIsTooLarge(t *testing.T) {
	recommended, plain := precond.New(0.1), precond.Plain(0.1)
	recommended.WeightDecay, plain.WeightDecay = 1e39, 1e39
	for _, o := range []trainers.Optimizer{recommended, plain} {
		for _, scale := range []float32{0, 1} {
			tr, err := trainers.New(layers.MLP(3, 2), graph.SquaredError, o)
			if err != nil {
				t.Fatal(err)
			}
			w := tr.Params()[0].Value.Float32s()
			for i := range w {
				w[i] *= scale
			}
			before := append([]float32(nil), w...)
			b := graph.NewBatch(tensor.New(tensor.WithShape(4, 3), tensor.Of(tensor.Float32)), tensor.New(tensor.WithShape(4, 2), tensor.Of(tensor.Float32)))
			if _, err := tr.Step(b); err == nil {
				t.Errorf("%s, weights times %v: no error", o.Name(), scale)
			}
			for i, x := range w {
				if x != before[i] {
					t.Fatalf("%s, weights times %v: element %d went from %v to %v", o.Name(), scale, i, before[i], x)
				}
			}
		}
	}
}
