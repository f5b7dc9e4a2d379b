package learn

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// drawnBatch has rows of 4 inputs and a class of 3 each.
func drawnBatch(dt tensor.Dtype, rows int) graph.Batch {
	rng := rand.New(rand.NewPCG(11, 1))
	x32, x64, labels := make([]float32, 4*rows), make([]float64, 4*rows), make([]int, rows)
	for i := range x64 {
		x32[i] = float32(rng.NormFloat64())
		x64[i] = float64(x32[i])
	}
	for i := range labels {
		labels[i] = rng.IntN(3)
	}
	var backing any = x64
	if dt == tensor.Float32 {
		backing = x32
	}
	return graph.NewBatch(tensor.New(tensor.WithShape(rows, 4), tensor.WithBacking(backing)), tensor.New(tensor.WithShape(rows), tensor.WithBacking(labels)))
}

// settings are those of a training with K = 10 and λ_FSD = 1.
func settings() *Settings {
	return &Settings{
		K: 10, FSD: func(int) float64 { return 1 }, WSD: func(int) float64 { return 0 }, NoWSD: true, MinRate: 1e-8, MaxRate: 1e3,
		Group: func(params []*graph.Param) ([]int, error) { return make([]int, len(params)), nil },
	}
}

// calibratedOn starts a Calibrated learner for a model and batches like b.
func calibratedOn(t *testing.T, model graph.Model, o rule.Optimizer, b graph.Batch) *calibratedLearner {
	t.Helper()
	params, err := model.Init(1, b.X[0].Dtype())
	if err != nil {
		t.Fatal(err)
	}
	src := graph.Objective{Model: model, Loss: graph.SoftmaxCrossEntropy}
	task := &rule.Task{Params: graph.Learned(params), Model: params, Blocks: graph.BlockPerParam(params), Source: src}
	x := &Context{Settings: settings(), Optimizer: o, Task: task}
	if x.Update, err = NewUpdate(o, task, x.Settings); err != nil {
		t.Fatal(err)
	}
	base, err := graph.NewBase(src, params, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	x.Gradient = func(b graph.Batch) (float64, []*tensor.Dense, error) {
		if err := base.Feed(b); err != nil {
			return 0, nil, err
		}
		if err := base.Run(); err != nil {
			return 0, nil, err
		}
		g, err := base.Grads()
		return base.LossValue(), g, err
	}
	l, err := newCalibratedLearner(x, CalibratedConfig{}.Filled())
	if err != nil {
		t.Fatal(err)
	}
	return l.(*calibratedLearner)
}

// plainRule is gradient descent as a user writes it: nothing but directions.
type plainRule struct{ rule.Base }

func (plainRule) Directions(in rule.Input) ([]*tensor.Dense, error) { return in.G, nil }
func (plainRule) State() []checkpoint.NamedTensor                   { return nil }

func TestCalibratedNeedsLineSearch(t *testing.T) {
	x := &Context{Settings: settings(), Optimizer: rule.SGD(1), Update: &rates{rule: plainRule{}, logRates: make([]float64, 1)}}
	_, err := newCalibratedLearner(x, CalibratedConfig{}.Filled())
	if err == nil || !strings.Contains(err.Error(), "Calibrated: sgd") {
		t.Errorf("a rule without search: %v", err)
	}
}

// TestOlderRunsHaveNoWarmUp: what an older version calibrated goes on at its rate.
func TestOlderRunsHaveNoWarmUp(t *testing.T) {
	for state, want := range map[uint64]float64{0: 0.1, calibratedBefore: 1, calibrated: 0.1} {
		l := calibratedLearner{c: CalibratedConfig{Horizon: 100}.Filled(), calibrated: []uint64{state}, rise: make(risingLoss, numbersOfRise)}
		if got := l.warmth(0); got != want {
			t.Errorf("state %d: the factor at step 0 is %v, want %v", state, got, want)
		}
	}
}

// TestMeasuredCurvature compares L with eᵀHe, from central differences of the
// gradient, and at a large r with the loss at the moved weights.
func TestMeasuredCurvature(t *testing.T) {
	b := drawnBatch(tensor.Float64, 12)
	l := calibratedOn(t, layers.MLPWith(apoops.TanhAct, 4, 5, 3), rule.RMSprop(0.1), b)
	gradient := func() (float64, []*tensor.Dense) {
		loss, g, err := l.x.Gradient(b)
		if err != nil {
			t.Fatal(err)
		}
		return loss, array.CloneAll(g)
	}
	loss, g := gradient()
	p, err := l.firstLine(b, loss, g)
	if err != nil {
		t.Fatal(err)
	}
	move := func(r float64) { l.update.descent.Move(l.x.Task.Params, p.e, []float64{r, r}) }
	const h = 1e-5
	move(h)
	_, ahead := gradient()
	move(-2 * h)
	_, behind := gradient()
	move(h)
	want := (array.Inner(behind, p.e) - array.Inner(ahead, p.e)) / (2 * h)
	got, _, err := l.measure(p, b.X, 1e-4)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.l-want) > 2e-3*math.Abs(want) {
		t.Errorf("L = %v, eᵀHe = %v", got.l, want)
	}
	const r = 0.3
	if got, _, err = l.measure(p, b.X, r); err != nil {
		t.Fatal(err)
	}
	move(r)
	moved, _ := gradient()
	if want = 2 * (moved - loss + r*array.Inner(g, p.e)) / (r * r); math.Abs(got.l-want) > 1e-9*math.Abs(want) {
		t.Errorf("L = %v at r = %v, not %v", got.l, r, want)
	}
}

// TestMeasuredInSinglePrecision compares float32's L and F with float64's at
// the calibrated rate and a tenth of it. Far below it the loss differs by its
// rounding alone, and L must be 0 rather than that divided by r².
func TestMeasuredInSinglePrecision(t *testing.T) {
	at := func(dt tensor.Dtype, r float64) parabola {
		b := drawnBatch(dt, 48)
		l := calibratedOn(t, layers.MLP(4, 64, 64, 3), rule.SGDm(0.01), b)
		loss, g, err := l.x.Gradient(b)
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.firstLine(b, loss, g)
		if err != nil {
			t.Fatal(err)
		}
		x, _, err := l.measure(p, b.X, r)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	const r = 0.01
	for _, q := range []float64{1, 0.1} {
		single, double := at(tensor.Float32, q*r), at(tensor.Float64, q*r)
		for what, x := range map[string][2]float64{"N": {single.n, double.n}, "L": {single.l, double.l}, "F": {single.f, double.f}, "W": {single.w, double.w}} {
			if math.Abs(x[0]/x[1]-1) > 2e-4 {
				t.Errorf("at %v: %s is %v in float32, %v in float64", q*r, what, x[0], x[1])
			}
		}
	}
	if x := at(tensor.Float32, 1e-5*r); x.l != 0 || math.Abs(x.f/at(tensor.Float64, 1e-5*r).f-1) > 0.1 {
		t.Errorf("at %v: %+v", 1e-5*r, x)
	}
}
