package trainers

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// cautious are the rules that cannot tell in advance what a step leaves finite.
var cautious = map[string]bool{"precond above": true, "precond trust": true, "shampoo": true, "singd": true, "singd kfac-like": true, "averaged": true, "lion": true, "mechanic": true}

func everyOptimizerAndTrust() map[string]Optimizer {
	all := everyOptimizer()
	all["precond trust"] = precond.TrustRegion(0.5)
	return all
}

// TestStepsThatOverflowAreUndone has one step in the middle of a training
// overflow. It must be an error that names step and array, and leave everything as
// in a training that never saw it.
func TestStepsThatOverflowAreUndone(t *testing.T) {
	for name, o := range everyOptimizerAndTrust() {
		for _, opt := range []Option{EveryK(0), EveryK(2), Calibrated(CalibratedConfig{Lambda0: 1})} {
			tr, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, o, opt)
			if err != nil {
				continue // such a rule has no such learner
			}
			twin, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, o, opt)
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s, K = %d", name, tr.engine.c.K)
			run(t, tr, 0, 4)
			run(t, twin, 0, 4)
			b := rowsOf(toyData(t, tensor.Float32), 0, 12)
			tr.engine.c.schedule = StepDecay(1e45, 0) // infinite as a float32
			_, err = tr.Step(b)
			wantError(t, what, err, "step 4", "dense", "not finite")
			if !errors.Is(err, ErrNotFinite) {
				t.Fatalf("%s: %v is no ErrNotFinite", what, err)
			}
			sameBits(t, what, tr.engine, twin.engine)
			tr.engine.c.schedule = Schedule{}
			run(t, tr, 4, 8)
			run(t, twin, 4, 8)
			sameBits(t, what+", afterwards", tr.engine, twin.engine)
		}
	}
}

// TestHugeGradientDoesNotFreeze gives Adam and RMSprop one gradient whose square
// overflows: the average of squares would be infinite for ever.
func TestHugeGradientDoesNotFreeze(t *testing.T) {
	linear := func(o Optimizer, dt tensor.Dtype, opts ...Option) *Trainer {
		tr, err := New(layers.MLP(2, 1), graph.SquaredError, o, append(opts, EveryK(0), Dtype(dt))...)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	batch := func(dt tensor.Dtype, x float64) graph.Batch {
		if dt == tensor.Float32 {
			return graph.NewBatch(denseOf([]float32{float32(x), 1}, 1, 2), denseOf([]float32{1}, 1, 1))
		}
		return graph.NewBatch(denseOf([]float64{x, 1}, 1, 2), denseOf([]float64{1}, 1, 1))
	}
	for _, o := range []Optimizer{Adam(0.01), AdamW(0.01), RMSprop(0.01)} {
		for dt, x := range map[tensor.Dtype]float64{tensor.Float32: 1e12, tensor.Float64: 1e90} {
			tr, twin := linear(o, dt), linear(o, dt)
			for _, tr := range []*Trainer{tr, twin} {
				if _, err := tr.Step(batch(dt, 1)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := tr.Step(batch(dt, x))
			wantError(t, o.Name(), err, "step 1", `"dense0/v"`, "as before")
			sameBits(t, o.Name(), tr.engine, twin.engine)
			if _, err := tr.Step(batch(dt, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Without squares such a gradient is as good as any.
	if _, err := linear(SGD(1e-100), tensor.Float64).Step(batch(tensor.Float64, 1e90)); err != nil {
		t.Fatal(err)
	}
	tr := linear(SGD(1e-160), tensor.Float64)
	if _, err := tr.Step(batch(tensor.Float64, 1e120)); err != nil {
		t.Fatalf("a gradient of about 1e240: %v", err)
	}
}

// TestMetaOptimizerThatOverflows divides 0 by 0 in φ's first step.
func TestMetaOptimizerThatOverflows(t *testing.T) {
	zero := graph.NewBatch(tensor.New(tensor.WithShape(12, 4), tensor.Of(tensor.Float32)), tensor.New(tensor.WithShape(12, 3), tensor.Of(tensor.Float32)))
	good := graph.NewBatch(tensor.New(tensor.WithShape(12, 4), tensor.WithBacking(tensor.Random(tensor.Float32, 48))), zero.T[0])
	adam, rmsprop := Adam(0.05), RMSprop(0.05)
	adam.Eps, rmsprop.Eps = 0, 1e-50
	for _, meta := range []Optimizer{adam, rmsprop, MetaAdam(math.MaxFloat64), MetaSGD(math.MaxFloat64)} {
		for _, o := range []Optimizer{SGD(0.01), Adam(0.01), PrecondPlain(0.01), KFAC(0.01)} {
			what := fmt.Sprintf("%s by %s", o.Name(), meta.Name())
			tr, err := New(layers.MLP(4, 3), graph.SquaredError, o, EveryK(1), Meta(meta))
			if err != nil {
				t.Fatal(err)
			}
			before, err := New(layers.MLP(4, 3), graph.SquaredError, o, EveryK(1), Meta(meta))
			if err != nil {
				t.Fatal(err)
			}
			b := zero
			if meta.LearningRate() > 1 {
				b = good
			}
			at := 0
			if o.Name() != precond.PlainName { // φ moves with the gradient of the next mini-batch
				for _, tr := range []*Trainer{tr, before} {
					if _, err := tr.Step(b); err != nil {
						t.Fatal(err)
					}
				}
				at = 1
			}
			if _, err = tr.Step(b); err != nil {
				wantError(t, what, err, fmt.Sprintf("step %d", at), "not finite")
				sameBits(t, what, tr.engine, before.engine)
			}
			for _, a := range tr.engine.tensors() {
				if a.Value.Dtype() != tensor.Uint64 && !graph.Finite(a.Value) {
					t.Fatalf("%s: %s is not finite, error %v", what, a.Name, err)
				}
			}
			if meta == adam && (err == nil || !errors.Is(err, ErrNotFinite)) {
				t.Fatalf("%s: error %v", what, err)
			}
		}
	}
}

// TestUsualStepsCopyNothing trains with the usual settings: all steps must be
// known to stay finite without a copy of the weights.
func TestUsualStepsCopyNothing(t *testing.T) {
	for name, o := range everyOptimizerAndTrust() {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			tr := toyTrainer(t, o, Dtype(dt), EveryK(3))
			run(t, tr, 0, 40)
			if copied := tr.engine.copies != nil; copied != cautious[name] {
				t.Errorf("%s, %v: copied %v", name, dt, copied)
			}
		}
	}
}

// TestUsualStepsInBFloat16CopyNothing: bounds know nothing of rounding and are measured in
// time, at the first step too. Here it has taken the momentum to the end of bfloat16: the
// step that overflows then is undone.
func TestUsualStepsInBFloat16CopyNothing(t *testing.T) {
	for _, o := range []Optimizer{SGD(0.01), SGDm(0.01), RMSprop(0.001), Adam(0.001), AdamW(0.001)} {
		tr := toyTrainer(t, o, EveryK(0), Precision(apoops.BFloat16))
		run(t, tr, 0, roundingsOfBounds)
		if tr.engine.copies != nil {
			t.Errorf("%s: a usual step copied the weights", o.Name())
		}
		if o.Name() != "sgdm" {
			continue
		}
		for _, a := range tr.engine.Update.State() {
			if a.Packed() {
				a.Value.Uint16s()[0] = apoops.ToBits(apoops.BFloat16, 3e38)
			}
		}
		before := cloneTensors(tr.engine.tensors())
		tr.engine.c.schedule = StepDecay(1e4, 0)
		_, err := tr.Step(rowsOf(toyData(t, tensor.Float32), 0, 12))
		wantError(t, "the step", err, fmt.Sprintf("step %d", roundingsOfBounds), "not finite")
		for i, a := range tr.engine.tensors() {
			if !reflect.DeepEqual(a.Value.Data(), before[i].Value.Data()) {
				t.Errorf("%s is not as before the step", a.Name)
			}
		}
	}
}

// TestNoStepOverflowsUnseen takes steps with settings and data from one end of
// float32 to the other: whatever the outcome, everything is finite, and after an
// error as before.
func TestNoStepOverflowsUnseen(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	power := func(lo, hi float64) float64 { return math.Pow(10, lo+(hi-lo)*rng.Float64()) }
	outcomes := map[bool]int{}
	for range 400 {
		lr := power(-10, 40)
		decay := map[bool]float64{true: power(-20, 40)}[rng.IntN(3) == 0]
		eps := map[bool]float64{true: power(-50, 0)}[rng.IntN(4) > 0]
		k := rng.IntN(3)
		sgd, adam, rmsprop, kfac, shampoo := SGDm(lr), Adam(lr), RMSprop(lr), KFAC(lr), Shampoo(lr)
		sgd.WeightDecay, adam.WeightDecay, rmsprop.WeightDecay, kfac.WeightDecay = decay, decay, decay, decay
		adam.Eps, adam.Decoupled, rmsprop.Eps, rmsprop.Momentum = eps, rng.IntN(2) == 0, eps, 0.9
		kfac.Damping, shampoo.Eps = power(-30, 5), power(-30, 5)
		shampoo.Grafting = []string{"none", "sgd", "rmsprop", "adam"}[rng.IntN(4)]
		all := []Optimizer{sgd, adam, rmsprop, kfac, EKFAC(lr), shampoo, PrecondPlain(lr), precond.Relative(lr), Precond(lr)}
		o := all[rng.IntN(len(all))]
		opts := []Option{EveryK(k), Meta(MetaAdam(power(-3, 40))), RateBounds(1e-12, 1e41)}
		if own, ok := o.(learn.Updater); ok {
			opts = opts[:2]
			if own.Learner() != nil {
				opts = opts[:1]
			}
		}
		tr, err := New(layers.MLP(3, 4, 2), graph.SquaredError, o, opts...)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 4 {
			x, y := make([]float32, 6), make([]float32, 4)
			scale := power(-20, 12)
			for i := range x {
				x[i] = float32(scale * rng.NormFloat64())
			}
			before := cloneTensors(tr.engine.tensors())
			_, err := tr.Step(graph.NewBatch(denseOf(x, 2, 3), denseOf(y, 2, 2)))
			outcomes[err == nil]++
			for i, a := range tr.engine.tensors() {
				if a.Value.Dtype() != tensor.Uint64 && !graph.Finite(a.Value) {
					t.Fatalf("%+v, K = %d, step %d: %s is not finite; error %v", o, k, step, a.Name, err)
				}
				if err != nil {
					sameArray(t, fmt.Sprintf("%+v: %v: %s", o, err, a.Name), a.Value, before[i].Value)
				}
			}
		}
	}
	if outcomes[true] < 200 || outcomes[false] < 200 {
		t.Fatalf("%v: the settings are all of one kind", outcomes)
	}
}

func cloneTensors(all []NamedTensor) []NamedTensor {
	out := make([]NamedTensor, len(all))
	for i, t := range all {
		out[i] = NamedTensor{Name: t.Name, Value: t.Value.Clone().(*tensor.Dense)}
	}
	return out
}

// TestWeightsThatAreNotFinite are neither written over a good file nor evaluated.
func TestWeightsThatAreNotFinite(t *testing.T) {
	tr := toyTrainer(t, SGD(0.05))
	run(t, tr, 0, 2)
	dir := t.TempDir()
	checkpoint, weights := filepath.Join(dir, "checkpoint"), filepath.Join(dir, "weights")
	if err := errors.Join(tr.Save(checkpoint), tr.SaveWeights(weights)); err != nil {
		t.Fatal(err)
	}
	value := tr.Params()[1].Value.Float32s()
	good := value[0]
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		value[0] = float32(bad)
		wantError(t, "Save", tr.Save(checkpoint), checkpoint, `"dense1"`, "not finite")
		wantError(t, "SaveWeights", tr.SaveWeights(weights), weights, `"dense1"`, "not finite")
		_, err := tr.Evaluate(toyData(t, tensor.Float32), 7)
		wantError(t, "Evaluate", err, "rows 0 to 6", "the loss is")
		if !errors.Is(err, ErrNotFinite) || !errors.Is(tr.Save(checkpoint), ErrNotFinite) {
			t.Fatal("the errors are no ErrNotFinite")
		}
	}
	if err := tr.Load(checkpoint); err != nil || value[0] != good {
		t.Fatalf("the checkpoint has the weight %v, not %v; error %v", value[0], good, err)
	}
	value[0] = float32(math.NaN())
	if err := errors.Join(tr.Save(checkpoint, EvenNotFinite), tr.SaveWeights(weights, EvenNotFinite)); err != nil {
		t.Fatal(err)
	}
}

// TestOutputsOfNaN have a loss that does not show them.
func TestOutputsOfNaN(t *testing.T) {
	blind := graph.SquaredError
	build := blind.Build
	blind.Build = func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
		return build(t[0], gorgonia.Nodes{t[0]})
	}
	tr, err := New(layers.MLP(2, 1), blind, SGD(0.1), EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	tr.Params()[0].Value.Float32s()[0] = float32(math.NaN())
	d := Data{X: denseOf([]float32{1, 2, 3, 4}, 2, 2), T: denseOf([]float32{1, 2}, 2, 1)}
	_, err = tr.Evaluate(d, 2)
	wantError(t, "Evaluate", err, "output is NaN")
}
