package graph

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestForward: each run takes inputs and weights as they are then.
func TestForward(t *testing.T) {
	x := tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]float64{1, 2}))
	w := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, 3, 4}))
	f, err := NewForward([]*Param{{Name: "w", Value: w}}, []*tensor.Dense{x}, func(p *Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
		y, err := apoops.Linear(x[0], theta[0], apoops.Identity)
		if err != nil {
			return nil, err
		}
		z, err := apoops.Add(y, y)
		return gorgonia.Nodes{y, z}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(want ...float64) {
		t.Helper()
		if err := f.Run(); err != nil {
			t.Fatal(err)
		}
		if got := slices.Concat(f.Result(0).Float64s(), f.Result(1).Float64s()); !slices.Equal(got, want) {
			t.Errorf("results %v, want %v", got, want)
		}
	}
	run(7, 10, 14, 20)
	x.Float64s()[0] = 0
	w.Float64s()[2] = 5
	run(10, 8, 20, 16)
	if _, err := NewForward([]*Param{{Name: "w", Value: w}}, nil, func(*Pass, gorgonia.Nodes, gorgonia.Nodes) (gorgonia.Nodes, error) {
		return gorgonia.Nodes{nil}, nil
	}); err == nil {
		t.Error("a result that is missing passes")
	}
}
