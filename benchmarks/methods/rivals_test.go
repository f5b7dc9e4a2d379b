package methods

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// regression is a mini-batch of 8 points of y = x0 - 2·x1.
func regression() graph.Batch {
	x, y := make([]float64, 16), make([]float64, 8)
	for i := range y {
		x[2*i], x[2*i+1] = math.Sin(float64(i+1)), math.Cos(float64(2*i))
		y[i] = x[2*i] - 2*x[2*i+1]
	}
	return graph.NewBatch(tensor.New(tensor.WithShape(8, 2), tensor.WithBacking(x)), tensor.New(tensor.WithShape(8, 1), tensor.WithBacking(y)))
}

// Each rival trains under an experiment's schedule with its own options, and what Evaluate
// sees has a lower loss.
func TestRivalsTrain(t *testing.T) {
	const steps = 200
	b := regression()
	for _, m := range rivals {
		if !m.Available() {
			t.Errorf("the library has no optimizer %q", m.Needs)
			continue
		}
		space, err := m.SearchSpace("")
		if err != nil {
			t.Fatal(err)
		}
		o, opts, err := m.Build(space.Defaults(), Run{Steps: steps})
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		opts = append([]trainers.Option{trainers.WithSchedule(trainers.Cosine(steps, 0)), trainers.Dtype(tensor.Float64), trainers.Seed(1)}, opts...)
		tr, err := trainers.New(layers.MLP(2, 8, 1), graph.SquaredError, o, opts...)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		data := trainers.Data{X: b.X[0], T: b.T[0]}
		first, err := tr.Evaluate(data, 8)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
			if _, err := tr.Step(b); err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
		}
		if last, err := tr.Evaluate(data, 8); err != nil || !(last.Loss < first.Loss) {
			t.Errorf("%s: the loss went from %v to %v (%v)", m.Name, first.Loss, last.Loss, err)
		}
	}
}

// Schedule-Free's warm-up is a part of the run; its spaces choose between the two forms.
func TestScheduleFreeWarmUp(t *testing.T) {
	for _, name := range []string{"schedule-free-sgd", "schedule-free-adamw"} {
		m, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := m.Settings(Search{})
		if err != nil {
			t.Fatal(err)
		}
		o, _, err := m.Build(v, Run{Steps: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if c := o.(*rule.ScheduleFreeConfig); c.Name() != name || c.WarmUp != 50 {
			t.Errorf("%s makes %s with a warm-up of %d steps, want 50", name, c.Name(), c.WarmUp)
		}
	}
}

func TestNamed(t *testing.T) {
	all, err := Named(RivalsName)
	if err != nil || !slices.Contains(all, "nadamw") || !slices.Contains(all, "dog") || slices.Contains(all, "soap-cosine") {
		t.Errorf("%v, %v", all, err)
	}
	for _, name := range all {
		if one, err := Named(name); err != nil || !slices.Equal(one, []string{name}) {
			t.Errorf("%s: %v, %v", name, one, err)
		}
	}
	if _, err := Named("magic"); err == nil {
		t.Error("no error for an unknown word")
	}
}
