package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// exactly is a linear problem of so many outputs that is solved exactly, and a training
// of it.
func exactly(t *testing.T, o *precond.Config, outputs int, dt tensor.Dtype, opts ...trainers.Option) (*trainers.Trainer, graph.Batch) {
	t.Helper()
	const rows, inputs = 30, 70 // more inputs than examples, and a side that is not dense
	rng := rand.New(rand.NewPCG(5, 1))
	x := dense(gaussian(rng, rows, inputs))
	y := dense(gaussian(rng, rows, outputs))
	if dt == tensor.Float32 {
		x, y = single(x), single(y)
	}
	tr, err := trainers.New(layers.DeepLinear(inputs, outputs), graph.SquaredError, o, append(opts, trainers.Dtype(dt))...)
	if err != nil {
		t.Fatal(err)
	}
	return tr, graph.NewBatch(x, y)
}

func single(x *tensor.Dense) *tensor.Dense {
	y := make([]float32, x.DataSize())
	for i, v := range x.Float64s() {
		y[i] = float32(v)
	}
	return tensor.New(tensor.WithShape(x.Shape()...), tensor.WithBacking(y))
}

// TestDampingIsInUnitsOfTheOutputs: λ_WSD of the first meta-step is Damping/LR times the
// number of outputs, the trace of the Hessian of ½‖y'-y‖².
func TestDampingIsInUnitsOfTheOutputs(t *testing.T) {
	for _, outputs := range []int{1, 5} {
		o := precond.New(0.1)
		o.Damping, o.DampingDecay = 0.03, 1
		tr, b := exactly(t, o, outputs, tensor.Float64)
		for step := range 3 {
			s, err := tr.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			if want := 0.3 * float64(outputs); math.Abs(s.Meta.LambdaWSD-want) > 1e-12 {
				t.Errorf("%d outputs, step %d: λ_WSD %v, want %v", outputs, step, s.Meta.LambdaWSD, want)
			}
		}
	}
}

// TestDampingFallsWithinTheClip: by DampingDecay at each meta-step whose step the clip
// leaves as it is, and at no other.
func TestDampingFallsWithinTheClip(t *testing.T) {
	for clip, want := range map[float64]float64{1e6: 0.7 * 0.7 * 0.7, 1e-30: 1, 0: 1} {
		o := precond.New(0.1)
		o.Clip = clip
		tr, b := exactly(t, o, 1, tensor.Float64)
		for range 4 {
			s, err := tr.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Meta.LambdaWSD / 0.01; s.Step == 3 && math.Abs(got-want) > 1e-12 {
				t.Errorf("clip %v: the damping is %v times the first after three steps, want %v", clip, got, want)
			}
		}
	}
}

// TestDampingRisesWithTheLoss: by 1/DampingDecay² after ten steps whose mean loss is
// larger than that of the ten before, and it does not fall in the ten after them.
func TestDampingRisesWithTheLoss(t *testing.T) {
	o := precond.New(0.1)
	o.Clip, o.DampingDecay = 1e6, 0.9
	tr, b := exactly(t, o, 1, tensor.Float64)
	worse := b.T[0].Clone().(*tensor.Dense)
	for i, x := range worse.Float64s() {
		worse.Float64s()[i] = 100 * x
	}
	last := 0.01
	for step := range 50 {
		if step == 20 {
			b.T[0] = worse // the third window has a larger loss than the second
		}
		s, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.9 // of the step before
		switch {
		case step == 0 || step >= 30 && step < 40:
			want = 1
		case step == 29: // the loss of a step is seen before its meta-step
			want = 0.9 / 0.81
		}
		if got := s.Meta.LambdaWSD / last; math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: the damping is %v times that of the step before, want %v", step, got, want)
		}
		last = s.Meta.LambdaWSD
	}
}

// TestDampingFollowsTheSchedule: but not while a warm-up raises the rate.
func TestDampingFollowsTheSchedule(t *testing.T) {
	o := precond.New(0.1)
	o.DampingDecay = 1
	tr, b := exactly(t, o, 1, tensor.Float64, trainers.WithSchedule(trainers.WarmUp(4, trainers.StepDecay(0.5, 8))))
	for step := range 12 {
		s, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.01
		if step >= 8 {
			want /= 2
		}
		if math.Abs(s.Meta.LambdaWSD-want) > 1e-12 {
			t.Errorf("step %d: λ_WSD %v, want %v", step, s.Meta.LambdaWSD, want)
		}
	}
}

// TestDampingStaysRepresentable trains on after the problem is solved: the damping falls
// as far as it may, and nothing becomes infinite.
func TestDampingStaysRepresentable(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		o := precond.New(0.1)
		o.Frequent, o.Clip = 1<<20, 0.01
		tr, b := exactly(t, o, 3, dt)
		var last trainers.Stats
		for range 1500 {
			s, err := tr.Step(b)
			if err != nil {
				t.Fatalf("%v, step %d: %v", dt, last.Step+1, err)
			}
			if s.Meta.Skipped {
				t.Fatalf("%v, step %d: the meta-step was skipped", dt, s.Step)
			}
			last = s
		}
		if last.Loss > 1e-9 || last.Meta.LambdaWSD > 1e-8 {
			t.Errorf("%v: the loss is %v, λ_WSD %v", dt, last.Loss, last.Meta.LambdaWSD)
		}
		if err := tr.Save(t.TempDir() + "/run"); err != nil {
			t.Error(err)
		}
	}
}
