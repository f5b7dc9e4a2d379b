package graph_test

import (
	"errors"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// refusal is a reason why Wrap fails, with what its error must name.
type refusal struct {
	name, want string
	// change spoils a good problem with x·W of x0 and w0, after its graph is made.
	change func(u *user)
	// output makes the prediction of x·W, nil for x·W itself.
	output    func(u *user, xw *gorgonia.Node) *gorgonia.Node
	optimizer trainers.Optimizer
	options   []trainers.Option
}

func refusals() []refusal {
	failing := func(old, _ *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return nil, errors.New("this one always fails")
	}
	return []refusal{
		{name: "no cost", want: "without a cost", change: func(u *user) { u.problem.Cost = nil }},
		{name: "no output", want: "without an output", change: func(u *user) { u.problem.Output = nil }},
		{name: "no inputs", want: "without inputs", change: func(u *user) { u.problem.Inputs = nil }},
		{name: "no parameters", want: "without parameters", change: func(u *user) { u.problem.Params = nil }},
		{name: "nil input", want: "input 0 is nil", change: func(u *user) { u.problem.Inputs = gorgonia.Nodes{nil} }},
		{name: "cost that is no scalar", want: "not a scalar", change: func(u *user) { u.problem.Cost = u.problem.Output }},
		{name: "leaf without a value", want: `"fed later"`, output: func(u *user, xw *gorgonia.Node) *gorgonia.Node {
			return plus(xw, gorgonia.NewMatrix(u.g, u.dt, gorgonia.WithName("fed later"), gorgonia.WithShape(4, 2)))
		}},
		{name: "parameter that is not reached", want: `"w1"`, change: func(u *user) { u.w(3) }},
		{name: "parameter listed twice", want: "w0 is listed twice, as parameter 0 and parameter 1: leave one out", change: func(u *user) {
			u.problem.Params = append(u.problem.Params, u.problem.Params[0])
		}},
		{name: "input that is a target too", want: "x0 is listed twice, as input 0 and target 0: leave one out", change: func(u *user) {
			u.problem.Targets[0] = u.problem.Inputs[0]
		}},
		{name: "output that depends on a target", want: "depends on the target y0", change: func(u *user) { u.problem.Output = u.problem.Cost }},
		{name: "inputs named after their making", want: "takes late0 and late1 for one", output: func(u *user, xw *gorgonia.Node) *gorgonia.Node {
			var late gorgonia.Nodes
			for _, name := range []string{"late0", "late1"} {
				n := gorgonia.NewMatrix(u.g, u.dt, gorgonia.WithShape(4, 2), gorgonia.WithInit(gorgonia.Ones()))
				gorgonia.WithName(name)(n)
				late = append(late, n)
			}
			return plus(xw, sub(late[0], product(u.num(2), late[1])))
		}},
		{name: "random node", want: "random", output: func(u *user, xw *gorgonia.Node) *gorgonia.Node {
			return plus(xw, gorgonia.UniformRandomNode(u.g, u.dt, 0, 1, 4, 2))
		}},
		{name: "no divergence", want: "divergence", options: []trainers.Option{trainers.EveryK(1)}},
		{name: "divergence that fails", want: "always fails", options: []trainers.Option{
			trainers.EveryK(1), trainers.FSD(1, graph.Divergence{Name: "failing", Build: failing})}},
		{name: "divergence of other shapes", want: "categorical", options: []trainers.Option{
			trainers.EveryK(1), trainers.FSD(1, graph.Divergence{Name: "categorical", Build: func(old, _ *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return old, nil }})}},
		{name: "pair that is none", want: "pair", change: func(u *user) {
			u.problem.Pairs = []graph.Pair{{Weight: u.problem.Params[0], Bias: u.problem.Inputs[0]}}
		}},
		{name: "filters that are none", want: "filter", change: func(u *user) { u.problem.Filters = u.problem.Params }},
		{name: "no targets to draw", want: "Sample", optimizer: trainers.KFAC(0.1), options: []trainers.Option{trainers.FSD(1, graph.HalfSquared)}},
		{name: "parameter without a group", want: "w0", options: []trainers.Option{
			trainers.FSD(1, graph.HalfSquared), trainers.RateGroups(map[string]int{"b": 0})}},
	}
}

// TestFailedWrapLeavesTheGraph refuses each problem before and after Grad, and wants
// the user's graph node for node as it was and its own machine to compute the same.
func TestFailedWrapLeavesTheGraph(t *testing.T) {
	for _, r := range refusals() {
		for _, gradFirst := range []bool{false, true} {
			t.Run(r.name, func(t *testing.T) { r.check(t, gradFirst) })
		}
	}
}

func (r refusal) check(t *testing.T, gradFirst bool) {
	build := func() *user {
		return newUser(pattern{name: r.name, build: func(u *user) (out, cost *gorgonia.Node) {
			xw := product(u.x(4, 3), u.w(3, 2))
			if r.output != nil {
				xw = r.output(u, xw)
			}
			return u.mse(xw)
		}}, tensor.Float64)
	}
	u, twin := build(), build()
	good := u.problem
	if gradFirst {
		_, err := gorgonia.Grad(good.Cost, good.Params...)
		must0(t, err)
	}
	u.problem.Divergence = graph.Divergence{}
	if r.change != nil {
		r.change(u)
	}
	before := snapshot(u.g)
	o, options := r.optimizer, r.options
	if o == nil {
		o = trainers.SGD(0.1)
	}
	if r.change != nil || r.output != nil {
		options = []trainers.Option{trainers.EveryK(1), trainers.FSD(1, graph.HalfSquared)}
	}
	if _, err := trainers.Wrap(u.problem, o, options...); err == nil || !strings.Contains(err.Error(), r.want) {
		t.Fatalf("error %v does not say %q", err, r.want)
	}
	before.compare(t, u.g)
	if r.name == "leaf without a value" || r.name == "random node" {
		return // their own machine has nothing to compute with, or never the same
	}
	compare(t, "cost and gradient after the failure", ownMachine(t, u.g, good, gradFirst), ownMachine(t, twin.g, twin.problem, false), 0)
}

// ownMachine runs a machine of the user's: cost and gradients.
func ownMachine(t *testing.T, g *gorgonia.ExprGraph, q graph.Problem, differentiated bool) []float64 {
	t.Helper()
	if !differentiated {
		_, err := gorgonia.Grad(q.Cost, q.Params...)
		must0(t, err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(q.Params...))
	defer vm.Close()
	must0(t, vm.RunAll())
	all := numbers(q.Cost.Value())
	for _, m := range gorgonia.NodesToValueGrads(q.Params) {
		d, err := m.Grad()
		must0(t, err)
		all = append(all, numbers(d)...)
	}
	return all
}
