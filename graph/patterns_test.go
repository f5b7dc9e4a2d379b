package graph_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// pattern is a small graph as users write it. The files patterns_*_test.go have the
// table, by kind: a row is a name and a function that builds output and cost.
type pattern struct {
	name  string
	build func(u *user) (out, cost *gorgonia.Node)
	// wrong says what the user's own machine computes wrongly: it is not run, and a
	// note must contain this text.
	wrong string
	// note is said of a row although their machine's values are right.
	note string
	// double leaves float32 out, where Gorgonia itself refuses or panics.
	double bool
}

// must are the errors of Gorgonia's functions, which the rows do not have.
func must(n *gorgonia.Node, err error) *gorgonia.Node { return gorgonia.Must(n, err) }

// mse is the mean of squared differences from targets of the output's shape.
func (u *user) mse(out *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
	d := must(gorgonia.Sub(out, u.y(out.Shape()...)))
	return out, must(gorgonia.Mean(must(gorgonia.Square(d))))
}

// TestPatterns builds each pattern of the table with Wrap, before and after Grad by
// turns, and compares: the rebuilt loss and its gradient with the user's own
// machine and with central differences, the gradient of Q by the learning rates
// with central differences, and float32 with float64.
func TestPatterns(t *testing.T) {
	t.Parallel()
	all := slices.Concat(tables...)
	seen := make(map[string]bool)
	for i, p := range all {
		if seen[p.name] {
			t.Errorf("two patterns are named %q", p.name)
		}
		seen[p.name] = true
		t.Run(p.name, func(t *testing.T) { p.check(t, i%2 == 0) })
	}
	t.Logf("%d patterns", len(all))
}

// tables are the rows of all files.
var tables [][]pattern

func (p pattern) check(t *testing.T, gradFirst bool) {
	u := newUser(p, tensor.Float64)
	loss, grads := u.rebuilt(t)
	u.compareDifferences(t, grads)
	u.compareMeta(t)
	ownLoss, own := u.own(t, gradFirst, p)
	if p.wrong == "" {
		compare(t, "loss", []float64{loss}, []float64{ownLoss}, 1e-12)
		compare(t, "gradient and that of the user's machine", grads, own, 1e-10)
	}
	if p.double {
		return
	}
	s := newUser(p, tensor.Float32)
	loss32, grads32 := s.rebuilt(t)
	compare(t, "float32 loss", []float64{loss32}, []float64{loss}, 1e-4)
	compare(t, "float32 gradient", grads32, grads, 1e-3)
	if ownLoss, own := s.own(t, !gradFirst, p); p.wrong == "" {
		compare(t, "float32 loss", []float64{loss32}, []float64{ownLoss}, 1e-5)
		compare(t, "float32 gradient and that of the user's machine", grads32, own, 1e-4)
	}
}

// rebuilt is the loss of the rebuilt base pass and its gradient by all parameters,
// one after the other.
func (u *user) rebuilt(t *testing.T) (float64, []float64) {
	t.Helper()
	before := snapshot(u.g)
	must0(t, u.problem.Check())
	base, err := graph.NewBase(&u.problem, u.params(t), u.batch, nil)
	must0(t, err)
	must0(t, base.Feed(u.batch), base.Run())
	g, err := base.Grads()
	must0(t, err)
	before.compare(t, u.g)
	return base.LossValue(), flat(g)
}

func (u *user) params(t *testing.T) []*graph.Param {
	t.Helper()
	params, err := u.problem.LearnableParams()
	must0(t, err)
	return params
}

// own wraps the problem, runs the user's own machine and takes two steps.
func (u *user) own(t *testing.T, gradFirst bool, p pattern) (float64, []float64) {
	t.Helper()
	differentiate := func() {
		_, err := gorgonia.Grad(u.problem.Cost, u.problem.Params...)
		must0(t, err)
	}
	if gradFirst && p.wrong == "" {
		differentiate()
	}
	solver, err := trainers.Wrap(u.problem, trainers.SGD(1e-3), trainers.EveryK(1), trainers.FSD(1, graph.HalfSquared), trainers.WSD(0.1))
	must0(t, err)
	want := p.wrong + p.note
	if notes := strings.Join(solver.Notes(), "\n"); (want == "") != (notes == "") || !strings.Contains(notes, want) {
		t.Errorf("notes %q do not say %q", notes, want)
	}
	if p.wrong != "" {
		return 0, nil
	}
	if !gradFirst {
		differentiate()
	}
	vm := gorgonia.NewTapeMachine(u.g, gorgonia.BindDualValues(u.problem.Params...))
	defer vm.Close()
	must0(t, vm.RunAll())
	loss, err := graph.ScalarValue(u.problem.Cost.Value())
	must0(t, err)
	model := gorgonia.NodesToValueGrads(u.problem.Params)
	var grads []float64
	for _, m := range model {
		g, err := m.Grad()
		must0(t, err)
		grads = append(grads, numbers(g)...)
	}
	must0(t, solver.Step(model))
	vm.Reset()
	must0(t, vm.RunAll(), solver.Step(model))
	return loss, grads
}

// compareDifferences compares the gradient with central differences of the rebuilt
// loss.
func (u *user) compareDifferences(t *testing.T, grads []float64) {
	t.Helper()
	params := u.params(t)
	base, err := graph.NewBase(&u.problem, params, u.batch, nil)
	must0(t, err)
	must0(t, base.Feed(u.batch))
	eval := func() float64 { must0(t, base.Run()); return base.LossValue() }
	var want []float64
	for _, p := range params {
		want = append(want, differences(p.Value.Float64s(), eval)...)
	}
	compare(t, "gradient and differences", grads, want, 1e-6)
}

// compareMeta compares ∂Q/∂φ, φ the logarithm of a rate for each parameter, with
// central differences.
func (u *user) compareMeta(t *testing.T) {
	t.Helper()
	params := u.params(t)
	look := graph.RateLookahead{}
	var phi, directions, grad []*tensor.Dense
	for i, p := range params {
		look.Group = append(look.Group, i)
		phi = append(phi, tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{math.Log(0.1)})))
		grad = append(grad, tensor.New(tensor.WithShape(1), tensor.Of(tensor.Float64)))
		d := tensor.New(tensor.WithShape(p.Value.Shape()...), tensor.Of(tensor.Float64))
		for j := range d.Float64s() {
			d.Float64s()[j] = u.draw(-1, 1)
		}
		directions = append(directions, d)
	}
	tilde := u.tilde()
	q, err := graph.NewProximal(graph.ProximalConfig{Source: &u.problem, Params: params, Lookahead: look, Batch: u.batch, Tilde: tilde})
	must0(t, err)
	eval := func() float64 {
		must0(t, q.Feed(u.batch, tilde), q.FeedWeights(0.5, 0.2), q.FeedStep(phi, directions, 1), q.Run())
		return q.Terms().Q
	}
	eval()
	must0(t, q.Gradient(grad))
	got := flat(grad)
	var want []float64
	for _, p := range phi {
		want = append(want, differences(p.Float64s(), eval)...)
	}
	compare(t, "meta-gradient and differences", got, want, 1e-6)
}

// tilde are other inputs than the batch's, of the same range.
func (u *user) tilde() []*tensor.Dense {
	var tilde []*tensor.Dense
	for _, x := range u.batch.X {
		c := x.Clone().(*tensor.Dense)
		if c.Dtype() == tensor.Float64 {
			for i, v := range c.Float64s() {
				c.Float64s()[i] = 0.9 * v
			}
		}
		tilde = append(tilde, c)
	}
	return tilde
}
