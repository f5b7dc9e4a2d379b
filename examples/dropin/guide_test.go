package dropin

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// fit trains the net for some steps and returns the last loss. It calls between after
// each RunAll.
func (u *userNet) fit(t testing.TB, solver gorgonia.Solver, steps int, between func() error) float64 {
	t.Helper()
	u.differentiate(t)
	var loss gorgonia.Value
	gorgonia.Read(u.cost, &loss)
	vm := gorgonia.NewTapeMachine(u.g, gorgonia.BindDualValues(u.learnables...))
	defer vm.Close()
	for step := range steps {
		u.feed(t, step)
		check(t, vm.RunAll())
		if between != nil {
			check(t, between())
		}
		check(t, solver.Step(gorgonia.NodesToValueGrads(u.learnables)))
		vm.Reset()
	}
	return loss.Data().(float64)
}

// sameWeights compares the weights of two nets. apart is the largest difference that
// rounding may cause.
func sameWeights(t *testing.T, a, b *userNet, apart float64) {
	t.Helper()
	for i, n := range a.learnables {
		v, w := n.Value().Data().([]float64), b.learnables[i].Value().Data().([]float64)
		for k := range v {
			if !(math.Abs(v[k]-w[k]) <= apart) {
				t.Fatalf("%s: element %d is %v and %v", n.Name(), k, v[k], w[k])
			}
		}
	}
}

// TestGuideSwap replaces Momentum by Wrap.
func TestGuideSwap(t *testing.T) {
	a, b := newUserNet(t), newUserNet(t)
	plain := a.fit(t, gorgonia.NewMomentum(gorgonia.WithLearnRate(0.01)), 60, nil)
	solver, err := guideSwap(b.cost, b.logits, b.x, b.y, b.learnables)
	check(t, err)
	if apo := b.fit(t, solver, 60, nil); !(apo < plain) {
		t.Errorf("loss %v with Wrap, %v with Momentum", apo, plain)
	}
}

func guideSwap(cost, logits, x, y *gorgonia.Node, learnables gorgonia.Nodes) (gorgonia.Solver, error) {
	solver, err := trainers.Wrap(
		graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: learnables},
		trainers.SGDm(0.01), trainers.FSD(1, graph.CategoricalKL))
	if err != nil {
		return nil, err
	}
	return solver, nil
}

// TestGuideWithoutAPO compares SGD without APO with VanillaSolver.
func TestGuideWithoutAPO(t *testing.T) {
	a, b := newUserNet(t), newUserNet(t)
	a.fit(t, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01)), 10, nil)
	cost, learnables := b.cost, b.learnables
	solver, err := trainers.Wrap(graph.Problem{Cost: cost, Params: learnables}, trainers.SGD(0.01), trainers.EveryK(0))
	check(t, err)
	b.fit(t, solver, 10, nil)
	sameWeights(t, a, b, 1e-15) // a processor that rounds x·y+z once may differ
}

// TestGuideConfig compares the fields of AdamConfig with the options of AdamSolver.
func TestGuideConfig(t *testing.T) {
	a, b := newUserNet(t), newUserNet(t)
	a.fit(t, gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.002), gorgonia.WithBeta1(0.8), gorgonia.WithBeta2(0.99), gorgonia.WithEps(1e-6), gorgonia.WithL2Reg(1e-3)), 10, nil)
	adam := trainers.Adam(0.002)
	adam.Beta1, adam.Beta2, adam.Eps, adam.WeightDecay = 0.8, 0.99, 1e-6, 1e-3
	solver, err := trainers.Wrap(graph.Problem{Cost: b.cost, Params: b.learnables}, adam, trainers.EveryK(0))
	check(t, err)
	b.fit(t, solver, 10, nil)
	sameWeights(t, a, b, 1e-14)
}

// TestGuideGroups compares groups with two of Gorgonia's solvers, each for one node.
func TestGuideGroups(t *testing.T) {
	a, b := newUserNet(t), newUserNet(t)
	adam, momentum := gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.002)), gorgonia.NewMomentum(gorgonia.WithLearnRate(0.01))
	a.fit(t, twoSolvers{adam, momentum}, 10, nil)
	groups := trainers.Groups(trainers.Adam(0.002),
		trainers.Group{Params: []string{"b"}, Optimizer: trainers.SGDm(0.01)})
	solver, err := trainers.Wrap(graph.Problem{Cost: b.cost, Params: b.learnables}, groups, trainers.EveryK(0))
	check(t, err)
	b.fit(t, solver, 10, nil)
	sameWeights(t, a, b, 1e-13)
}

// twoSolvers has the first for the first node, the second for the second.
type twoSolvers [2]gorgonia.Solver

func (s twoSolvers) Step(model []gorgonia.ValueGrad) error {
	for i, solver := range s {
		if err := solver.Step(model[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// TestGuideClip compares the option, and clipping by hand, with WithClip.
func TestGuideClip(t *testing.T) {
	for _, byHand := range []bool{false, true} {
		a, b := newUserNet(t), newUserNet(t)
		a.fit(t, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.5), gorgonia.WithClip(0.01)), 10, nil)
		opts, clip := []trainers.Option{trainers.EveryK(0)}, func() error { return guideClip(b.learnables) }
		if !byHand {
			opts, clip = append(opts, trainers.ClipValue(0.01)), nil
		}
		solver, err := trainers.Wrap(graph.Problem{Cost: b.cost, Params: b.learnables}, trainers.SGD(0.5), opts...)
		check(t, err)
		b.fit(t, solver, 10, clip)
		sameWeights(t, a, b, 1e-15)
	}
}

func guideClip(learnables gorgonia.Nodes) error {
	for _, n := range learnables {
		g, err := n.Grad()
		if err != nil {
			return err
		}
		if _, err := tensor.Clamp(g.(*tensor.Dense), -0.01, 0.01, tensor.UseUnsafe()); err != nil {
			return err
		}
	}
	return nil
}

// TestGuideL1 compares a penalty in the cost with WithL1Reg.
func TestGuideL1(t *testing.T) {
	a, b := newUserNet(t), newUserNet(t)
	b.learnables[1].Value().(*tensor.Dense).Memset(0.1) // Sign(0) is 0 for both
	a.learnables[1].Value().(*tensor.Dense).Memset(0.1)
	a.fit(t, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01), gorgonia.WithL1Reg(0.01)), 10, nil)
	cost, err := guideL1(b.cost, b.learnables)
	check(t, err)
	b.cost = cost
	solver, err := trainers.Wrap(
		graph.Problem{Cost: cost, Output: b.logits, Inputs: gorgonia.Nodes{b.x}, Targets: gorgonia.Nodes{b.y}, Params: b.learnables},
		trainers.SGD(0.01), trainers.FSD(1, graph.CategoricalKL), trainers.RateBounds(0.01, 0.01))
	check(t, err)
	b.fit(t, solver, 10, nil)
	sameWeights(t, a, b, 1e-14)
}

func guideL1(cost *gorgonia.Node, learnables gorgonia.Nodes) (*gorgonia.Node, error) {
	for _, n := range learnables {
		l1 := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Abs(n))))
		cost = gorgonia.Must(gorgonia.Add(cost, gorgonia.Must(gorgonia.Mul(gorgonia.NewConstant(0.01), l1))))
	}
	return cost, nil
}

// TestGuideBatchSize compares the division of a sum with WithBatchSize.
func TestGuideBatchSize(t *testing.T) {
	a, b := newUserNet(t), newUserNet(t)
	for _, u := range []*userNet{a, b} {
		u.cost = must(gorgonia.Mul(u.cost, gorgonia.NewConstant(float64(batchRows))))
	}
	a.fit(t, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.1), gorgonia.WithBatchSize(batchRows)), 10, nil)
	cost, err := guideBatchSize(b.cost)
	check(t, err)
	b.cost = cost
	solver, err := trainers.Wrap(graph.Problem{Cost: cost, Params: b.learnables}, trainers.SGD(0.1), trainers.EveryK(0))
	check(t, err)
	b.fit(t, solver, 10, nil)
	sameWeights(t, a, b, 1e-14)
}

func guideBatchSize(cost *gorgonia.Node) (*gorgonia.Node, error) {
	cost, err := gorgonia.Mul(cost, gorgonia.NewConstant(1.0/batchRows))
	return cost, err
}

// TestGuideDropout trains with the same masks in both machines.
func TestGuideDropout(t *testing.T) {
	u := newUserNet(t)
	hidden := u.logits
	masks := apoops.NewRandom(1)
	dropped, err := apoops.Dropout(hidden, 0.1, masks, 0)
	check(t, err)
	u.cost = must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.Square(must(gorgonia.Sub(dropped, u.y)))), 1))))
	solver, err := trainers.Wrap(
		graph.Problem{Cost: u.cost, Output: u.logits, Inputs: gorgonia.Nodes{u.x}, Targets: gorgonia.Nodes{u.y}, Params: u.learnables},
		trainers.SGDm(0.01), trainers.FSD(1, graph.HalfSquared), trainers.EveryK(2))
	check(t, err)
	u.differentiate(t)
	vm := gorgonia.NewTapeMachine(u.g, gorgonia.BindDualValues(u.learnables...))
	defer vm.Close()
	for step := range 6 {
		u.feed(t, step)
		masks.SetStep(int64(step)) // before RunAll: other elements are dropped at each step
		check(t, vm.RunAll())
		check(t, solver.Step(gorgonia.NodesToValueGrads(u.learnables)))
		vm.Reset()
		if m := solver.Last().Meta; m != nil && m.Skipped {
			t.Errorf("step %d: meta-step skipped", step)
		}
	}
}

// TestGuideLispMachine makes a machine for every step.
func TestGuideLispMachine(t *testing.T) {
	u := newUserNet(t)
	solver, err := guideSwap(u.cost, u.logits, u.x, u.y, u.learnables)
	check(t, err)
	before := u.learnables[0].Value().(*tensor.Dense).Clone().(*tensor.Dense)
	check(t, guideLispMachine(u.g, solver, u.learnables, 3, func(step int) { u.feed(t, step) }))
	if before.Eq(u.learnables[0].Value()) {
		t.Error("the weights have not moved")
	}
}

func guideLispMachine(g *gorgonia.ExprGraph, solver gorgonia.Solver, learnables gorgonia.Nodes, steps int, feed func(step int)) error {
	for step := range steps {
		feed(step)
		m := gorgonia.NewLispMachine(g)
		if err := m.RunAll(); err != nil {
			return err
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(learnables)); err != nil {
			return err
		}
		m.Close()
	}
	return nil
}
