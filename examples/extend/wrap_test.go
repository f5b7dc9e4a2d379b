package extend

import (
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// loop is a program of a user of Gorgonia, with the layer and the op in its graph.
type loop struct {
	x, t   *tensor.Dense
	params gorgonia.Nodes
	cost   *gorgonia.Node
	vm     gorgonia.VM
	solver *trainers.Solver
}

func newLoop(t *testing.T, dt tensor.Dtype, o rule.Optimizer, opts ...trainers.Option) *loop {
	t.Helper()
	params, err := model().Init(3, dt)
	if err != nil {
		t.Fatal(err)
	}
	first := batch(dt, 0)
	l := &loop{x: first.X[0], t: first.T[0]}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, dt, gorgonia.WithName("x"), gorgonia.WithShape(rows, inputs), gorgonia.WithValue(l.x))
	labels := gorgonia.NewVector(g, tensor.Int, gorgonia.WithName("t"), gorgonia.WithShape(rows), gorgonia.WithValue(l.t))
	for _, p := range params {
		l.params = append(l.params, gorgonia.NewMatrix(g, dt, gorgonia.WithName(p.Name), gorgonia.WithShape(p.Value.Shape()...), gorgonia.WithValue(p.Value)))
	}
	y, err := model().Output(&graph.Pass{}, gorgonia.Nodes{x}, l.params)
	if err != nil {
		t.Fatal(err)
	}
	if l.cost, err = loss.Build(y, gorgonia.Nodes{labels}); err != nil {
		t.Fatal(err)
	}
	if _, err := gorgonia.Grad(l.cost, l.params...); err != nil {
		t.Fatal(err)
	}
	problem := graph.Problem{
		Cost: l.cost, Output: y, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{labels}, Params: l.params, Divergence: loss.Divergence,
	}
	if l.solver, err = trainers.Wrap(problem, o, opts...); err != nil {
		t.Fatal(err)
	}
	l.vm = gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(l.params...))
	t.Cleanup(func() { l.vm.Close() })
	return l
}

// train takes the steps [from, to) and returns their losses.
func (l *loop) train(t *testing.T, from, to int) []float64 {
	t.Helper()
	var losses []float64
	for step := from; step < to; step++ {
		b := batch(l.x.Dtype(), step)
		for _, pair := range [][2]*tensor.Dense{{l.x, b.X[0]}, {l.t, b.T[0]}} {
			if err := tensor.Copy(pair[0], pair[1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if err := l.solver.Step(gorgonia.NodesToValueGrads(l.params)); err != nil {
			t.Fatal(err)
		}
		l.vm.Reset()
		losses = append(losses, l.solver.Last().Loss)
	}
	return losses
}

// TestWrapEqualsTrainer has the same bits from both: the graph of the user is that
// of the model.
func TestWrapEqualsTrainer(t *testing.T) {
	each(t, func(t *testing.T, name string, dt tensor.Dtype) {
		opts := []trainers.Option{trainers.EveryK(2), trainers.FSD(0.5), trainers.WSD(0.1)}
		l, tr := newLoop(t, dt, rules[name](rate), opts...), newTrainer(t, dt, rules[name](rate), opts...)
		if got, want := l.train(t, 0, 10), train(t, dt, tr, 0, 10); !slices.Equal(got, want) {
			t.Errorf("losses %v, the trainer has %v", got, want)
		}
		if got, want := l.solver.Rates(), tr.Rates(); !slices.Equal(got, want) || got[0] == rate {
			t.Errorf("rates %v, the trainer has %v", got, want)
		}
		if notes := l.solver.Notes(); len(notes) > 0 {
			t.Errorf("notes %q", notes)
		}
	})
}

// TestWrapResumes goes on from a checkpoint with the same bits.
func TestWrapResumes(t *testing.T) {
	each(t, func(t *testing.T, name string, dt tensor.Dtype) {
		path := filepath.Join(t.TempDir(), "checkpoint")
		whole, part, again := newLoop(t, dt, rules[name](rate), trainers.EveryK(3)), newLoop(t, dt, rules[name](rate), trainers.EveryK(3)), newLoop(t, dt, rules[name](rate), trainers.EveryK(3))
		losses := whole.train(t, 0, 16)
		part.train(t, 0, 8)
		if err := part.solver.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := again.solver.Load(path); err != nil {
			t.Fatal(err)
		}
		if rest := again.train(t, 8, 16); !slices.Equal(rest, losses[8:]) {
			t.Errorf("losses %v, without a stop %v", rest, losses[8:])
		}
	})
}
