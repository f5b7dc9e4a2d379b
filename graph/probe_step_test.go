package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph/form"
)

// learnedBlocks are the blocks of a model with the forms that probes teach, and their
// learners.
func learnedBlocks(t *testing.T, params []*Param, c ProbeConfig) ([]Block, []form.ProbeLearner) {
	t.Helper()
	rows, err := ProbeRows(c)
	if err != nil {
		t.Fatal(err)
	}
	blocks := slices.Clone(c.Blocks)
	learners := make([]form.ProbeLearner, len(blocks))
	for i := range blocks {
		b := &blocks[i]
		if b.Form = Diagonal; rows[i] {
			b.Form = form.LowRank{Rank: 3}
		}
		p, err := form.Start(b.Form, form.Setup{Rows: b.Rows, Cols: b.Cols, Dtype: params[0].Value.Dtype(), Rate: 0.3, Seed: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		if learners[i], err = b.Form.Probed().Start(p); err != nil {
			t.Fatal(err)
		}
	}
	return blocks, learners
}

// TestProbeSteps compares the steps in the graph of a Probe with those that the forms
// take on its rows in graphs of their own, to the bit, over some steps.
func TestProbeSteps(t *testing.T) {
	model := residual{classes: 3}
	params, _ := model.Init(5, tensor.Float64)
	x := Batch{X: []*tensor.Dense{random(rand.New(rand.NewPCG(3, 3)), 1, 6, 2, 4, 4)}}
	noise := apoops.NewRandom(6)
	c := ProbeConfig{Source: Objective{Model: model, Loss: SoftmaxCrossEntropy}, Params: params, Blocks: BlockPerParam(params), Batch: x, Noise: noise}
	rows, err := NewProbe(c)
	if err != nil {
		t.Fatal(err)
	}
	blocks, twins := learnedBlocks(t, params, c)
	c.Blocks, c.Learners = learnedBlocks(t, params, c)
	k, err := NewProbe(c)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 3 {
		noise.SetStep(int64(step))
		for _, err := range []error{rows.Feed(x), rows.Run(), k.Feed(x), k.Step(0.01, 0.2, 0.3)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		before := slices.Clone(c.Learners[0].Phi()[0].Float64s())
		for i, b := range blocks {
			energy, next := stepAlone(t, rows, i, b, twins[i])
			if e := k.Energy(i); e != energy || !(e > 0) {
				t.Errorf("%s: energy %v, alone %v", b.Name, e, energy)
			}
			want := append(slices.Clone(twins[i].Phi()), stateOf(twins[i])...)
			for j, n := range next {
				copy(want[j].Float64s(), n.Float64s())
			}
			m, err := k.Measures(i)
			if err != nil || (len(m) > 0) != k.HasRows(i) {
				t.Errorf("%s: measures %v, %v", b.Name, m, err)
			}
		}
		if !slices.Equal(before, c.Learners[0].Phi()[0].Float64s()) {
			t.Error("φ moved before Move")
		}
		if err := k.Move(); err != nil {
			t.Fatal(err)
		}
		for i, b := range blocks {
			got := append(slices.Clone(c.Learners[i].Phi()), stateOf(c.Learners[i])...)
			for j, w := range append(slices.Clone(twins[i].Phi()), stateOf(twins[i])...) {
				if !slices.Equal(got[j].Float64s(), w.Float64s()) {
					t.Fatalf("step %d, %s: array %d is %v, alone %v", step, b.Name, j, got[j], w)
				}
			}
		}
	}
	if _, _, err := k.Rows(0); err == nil {
		t.Error("rows that the step takes")
	}
}

func stateOf(l form.ProbeLearner) (all []*tensor.Dense) {
	for _, a := range l.State() {
		all = append(all, a.Value)
	}
	return all
}

// stepAlone is the step of one block in a graph of its own.
func stepAlone(t *testing.T, k *Probe, i int, b Block, l form.ProbeLearner) (energy float64, next []*tensor.Dense) {
	t.Helper()
	g := gorgonia.NewGraph()
	leaf := func(v *tensor.Dense, name string) *gorgonia.Node { return leafOf(g, v.Clone().(*tensor.Dense), name) }
	in := form.ProbeInput{Hyper: leaf(tensor.New(tensor.WithBacking([]float64{0.01, 0.2, 0.3})), "hyper")}
	if k.HasRows(i) {
		x, z, err := k.Rows(i)
		if err != nil {
			t.Fatal(err)
		}
		in.X, in.Z = leaf(x, "x"), leaf(z, "z")
	} else {
		h, err := k.Squares(i)
		if err != nil {
			t.Fatal(err)
		}
		in.Squares = leaf(h, "h")
	}
	for j, a := range l.Phi() {
		in.Phi = append(in.Phi, leaf(a, fmt.Sprint("phi", j)))
	}
	for j, a := range stateOf(l) {
		in.State = append(in.State, leaf(a, fmt.Sprint("state", j)))
	}
	s, err := b.Form.Probed().Step(in)
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	for _, n := range append(append(gorgonia.Nodes{}, s.Phi...), s.State...) {
		next = append(next, n.Value().(*tensor.Dense).Clone().(*tensor.Dense))
	}
	return scalar(s.Energy.Value()), next
}

// TestProbeStepsStayFinite: blocks whose step is not finite stay, and are named.
func TestProbeStepsStayFinite(t *testing.T) {
	model := mlp{widths: []int{2, 3, 2}, act: apoops.TanhAct}
	params, _ := model.Init(1, tensor.Float64)
	x := Batch{X: []*tensor.Dense{tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, math.Inf(1), 2, 3}))}}
	c := ProbeConfig{Source: Objective{Model: model, Loss: SquaredError}, Params: params, Blocks: BlockPerParam(params), Batch: x, Noise: apoops.NewRandom(1)}
	c.Blocks, c.Learners = learnedBlocks(t, params, c)
	before := slices.Clone(c.Learners[0].Phi()[0].Float64s())
	k, err := NewProbe(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{k.Feed(x), k.Step(0.01, 0.1, 0.2)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Move(); !errors.Is(err, ErrNotFinite) || !slices.Equal(before, c.Learners[0].Phi()[0].Float64s()) {
		t.Errorf("error %v, φ %v", err, c.Learners[0].Phi()[0])
	}
}

// TestProbeLearnersThatDoNotFit are errors that name the block.
func TestProbeLearnersThatDoNotFit(t *testing.T) {
	model := mlp{widths: []int{2, 3, 2}}
	params, _ := model.Init(1, tensor.Float64)
	x := Batch{X: []*tensor.Dense{random(rand.New(rand.NewPCG(3, 3)), 1, 6, 2)}}
	c := ProbeConfig{Source: Objective{Model: model, Loss: SquaredError}, Params: params, Blocks: BlockPerParam(params), Batch: x, Noise: apoops.NewRandom(1)}
	c.Blocks, c.Learners = learnedBlocks(t, params, c)
	for name, spoil := range map[string]func(c *ProbeConfig){
		"too few learners": func(c *ProbeConfig) { c.Learners = c.Learners[:1] },
		"no learner":       func(c *ProbeConfig) { c.Learners = make([]form.ProbeLearner, 2) },
		"form of squares":  func(c *ProbeConfig) { c.Blocks[1].Form = Diagonal },
		"no form":          func(c *ProbeConfig) { c.Blocks[1].Form = nil },
		"another's":        func(c *ProbeConfig) { c.Learners = []form.ProbeLearner{c.Learners[1], c.Learners[0]} },
		"plain form":       func(c *ProbeConfig) { c.Blocks[0].Form = Kronecker },
	} {
		spoiled := c
		spoiled.Blocks = slices.Clone(c.Blocks)
		spoil(&spoiled)
		if _, err := NewProbe(spoiled); err == nil {
			t.Error(name)
		}
	}
}
