package dryrun

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// line is a net of n inputs and one output for squared errors.
func line(n int, opts ...trainers.Option) func() (*trainers.Trainer, error) {
	return func() (*trainers.Trainer, error) {
		return trainers.New(layers.MLP(n, 1), graph.SquaredError, trainers.SGD(1e-8), opts...)
	}
}

// ones is a mini-batch of two examples.
func ones(n int) graph.Batch {
	x := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(2, n))
	y := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(2, 1))
	for _, a := range []*tensor.Dense{x, y} {
		for i := range a.Float32s() {
			a.Float32s()[i] = 1
		}
	}
	return graph.Batch{X: []*tensor.Dense{x}, T: []*tensor.Dense{y}}
}

// TestMeasureTakesSteps counts the mini-batches that it asks for.
func TestMeasureTakesSteps(t *testing.T) {
	for _, test := range []struct{ k, least, steps, meta int }{
		{0, Least, 4, 0}, {0, 0, 1, 0}, {2, Least, 4, 2}, {3, Least, 4, 2}, {10, Least, 11, 2}, {10, 15, 15, 2}, {20, Least, 21, 2}, {21, Least, 4, 1},
	} {
		asked := 0
		c, err := Measure(t.Context(), line(3, trainers.EveryK(test.k)), func(i int) graph.Batch {
			if i != asked {
				t.Fatalf("mini-batch %d after %d", i, asked-1)
			}
			asked++
			return ones(3)
		}, test.least)
		meta := 0
		for _, s := range c.Steps {
			if s.MetaTime > 0 {
				meta++
			}
		}
		if err != nil || asked != test.steps || len(c.Steps) != test.steps || meta != test.meta || c.K != test.k {
			t.Errorf("%+v: %d mini-batches, %d steps, %d meta-steps, K %d, %v", test, asked, len(c.Steps), meta, c.K, err)
		}
		if c.Parameters != 4 || c.Arrays != 1 || c.Step() <= 0 || c.MetaStep() > 0 != (test.k > 0) {
			t.Errorf("%+v: %+v", test, c)
		}
	}
}

// TestMeasureSeesMemory has weights of 64 MB; gradient and momentum come on top.
func TestMeasureSeesMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the resident memory is known only on Linux")
	}
	const n = 16 << 20
	c, err := Measure(t.Context(), line(n, trainers.EveryK(0)), func(int) graph.Batch { return ones(n) }, 2)
	if err != nil || c.Memory < 2*4*n || c.Memory > 40*4*n {
		t.Errorf("%d bytes for %d parameters, %v", c.Memory, c.Parameters, err)
	}
}

func TestMeasureStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := Measure(ctx, line(3), func(i int) graph.Batch {
		if i == 1 {
			cancel()
		}
		return ones(3)
	}, Least)
	if err != context.Canceled || len(c.Steps) != 2 {
		t.Errorf("%d steps, %v", len(c.Steps), err)
	}
	if _, err := Measure(t.Context(), line(3, nil), nil, Least); err == nil {
		t.Error("no error of a trainer with a nil option")
	}
	if _, err := Measure(t.Context(), line(3), func(int) graph.Batch { return ones(4) }, Least); err == nil || !strings.Contains(err.Error(), "step 0") {
		t.Errorf("a mini-batch of another width: %v", err)
	}
}

// TestCost calculates with steps whose times are known.
func TestCost(t *testing.T) {
	step := func(base, meta time.Duration) trainers.Stats {
		return trainers.Stats{BaseTime: base * time.Millisecond, MetaTime: meta * time.Millisecond}
	}
	c := Cost{Steps: []trainers.Stats{step(900, 500), step(5, 0), step(3, 0), step(4, 7)}}
	if c.Step() != 4*time.Millisecond || c.MetaStep() != 7*time.Millisecond {
		t.Errorf("a step %v, a meta-step %v", c.Step(), c.MetaStep())
	}
	if got := c.Total(100, 10); got != 470*time.Millisecond {
		t.Errorf("100 steps with 10 meta-steps: %v", got)
	}
	if one := (Cost{Steps: c.Steps[:1]}); one.Step() != 900*time.Millisecond || one.MetaStep() != 500*time.Millisecond {
		t.Errorf("of one step alone: %v, %v", one.Step(), one.MetaStep())
	}
	if (Cost{}).Total(10, 10) != 0 {
		t.Error("no steps take time")
	}
}
