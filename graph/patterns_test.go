package graph_test

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
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

// user is a program with a graph: its methods make leaves with values, drawn anew
// but always the same, and fill in the Problem.
type user struct {
	g       *gorgonia.ExprGraph
	dt      tensor.Dtype
	rng     *rand.Rand
	problem graph.Problem
	batch   graph.Batch
}

func newUser(p pattern, dt tensor.Dtype) *user {
	h := fnv.New64a()
	h.Write([]byte(p.name))
	u := &user{g: gorgonia.NewGraph(), dt: dt, rng: rand.New(rand.NewPCG(h.Sum64(), 1))}
	u.problem.Output, u.problem.Cost = p.build(u)
	u.problem.Divergence = graph.HalfSquared
	return u
}

// x makes an input and w a parameter, of elements from -1 to 1 that keep away from
// 0, where some functions have kinks.
func (u *user) x(shape ...int) *gorgonia.Node { return u.input(-1, 1, shape...) }
func (u *user) w(shape ...int) *gorgonia.Node { return u.param(-1, 1, shape...) }

// input and param make leaves of elements from lo to hi, y and labels targets.
func (u *user) input(lo, hi float64, shape ...int) *gorgonia.Node {
	n, v := u.leaf("x", len(u.problem.Inputs), lo, hi, shape)
	u.problem.Inputs, u.batch.X = append(u.problem.Inputs, n), append(u.batch.X, v)
	return n
}

func (u *user) param(lo, hi float64, shape ...int) *gorgonia.Node {
	n, _ := u.leaf("w", len(u.problem.Params), lo, hi, shape)
	u.problem.Params = append(u.problem.Params, n)
	return n
}

func (u *user) y(shape ...int) *gorgonia.Node {
	n, v := u.leaf("y", len(u.problem.Targets), -1, 1, shape)
	u.problem.Targets, u.batch.T = append(u.problem.Targets, n), append(u.batch.T, v)
	return n
}

// oneHot makes targets of one 1 in each row, bits of 0 and 1 by turns.
func (u *user) oneHot(rows, classes int) *gorgonia.Node {
	n := u.y(rows, classes)
	for i := range rows {
		for j := range classes {
			u.set(n.Value().(*tensor.Dense), i*classes+j, 0)
		}
		u.set(n.Value().(*tensor.Dense), i*classes+u.rng.IntN(classes), 1)
	}
	return n
}

func (u *user) bits(shape ...int) *gorgonia.Node {
	n := u.y(shape...)
	for i := range n.Shape().TotalSize() {
		u.set(n.Value().(*tensor.Dense), i, float64(i%2))
	}
	return n
}

func (u *user) set(t *tensor.Dense, i int, v float64) {
	if u.dt == tensor.Float32 {
		t.Float32s()[i] = float32(v)
	} else {
		t.Float64s()[i] = v
	}
}

// leaf makes a node and the array that a batch has for it: of shape (1) for a
// number.
func (u *user) leaf(kind string, i int, lo, hi float64, shape []int) (*gorgonia.Node, *tensor.Dense) {
	name := gorgonia.WithName(kind + string(rune('0'+i)))
	if len(shape) == 0 {
		v := tensor.New(tensor.Of(u.dt), tensor.WithShape(1))
		x := u.draw(lo, hi)
		u.set(v, 0, x)
		n := gorgonia.NewScalar(u.g, u.dt, name)
		if u.dt == tensor.Float32 {
			gorgonia.Let(n, float32(x))
		} else {
			gorgonia.Let(n, x)
		}
		return n, v
	}
	v := tensor.New(tensor.Of(u.dt), tensor.WithShape(shape...))
	for j := range shape0(shape) {
		u.set(v, j, u.draw(lo, hi))
	}
	return gorgonia.NewTensor(u.g, u.dt, len(shape), gorgonia.WithShape(shape...), name, gorgonia.WithValue(v)), v
}

func shape0(shape []int) int { return tensor.Shape(shape).TotalSize() }

func (u *user) draw(lo, hi float64) float64 {
	for {
		if x := lo + (hi-lo)*u.rng.Float64(); math.Abs(x) > 0.05 {
			return x
		}
	}
}

// num is a constant of the graph's dtype, array a constant array.
func (u *user) num(v float64) *gorgonia.Node {
	if u.dt == tensor.Float32 {
		return gorgonia.NewConstant(float32(v))
	}
	return gorgonia.NewConstant(v)
}

func (u *user) array(lo, hi float64, shape ...int) *gorgonia.Node {
	v := tensor.New(tensor.Of(u.dt), tensor.WithShape(shape...))
	for i := range shape0(shape) {
		u.set(v, i, u.draw(lo, hi))
	}
	return gorgonia.NewConstant(v)
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

func differences(x []float64, eval func() float64) []float64 {
	const h = 1e-5
	d := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		above := eval()
		x[i] = v - h
		d[i] = (above - eval()) / (2 * h)
		x[i] = v
	}
	return d
}

// compare wants a and b equal to a tolerance relative to the largest of b.
func compare(t *testing.T, what string, a, b []float64, tolerance float64) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d numbers and %d", what, len(a), len(b))
	}
	scale := 1e-3
	for _, v := range b {
		scale = max(scale, math.Abs(v))
	}
	for i := range a {
		if !(math.Abs(a[i]-b[i]) <= tolerance*scale) {
			t.Fatalf("%s: %v and %v differ at %d", what, a, b, i)
		}
	}
}

func must0(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func flat(all []*tensor.Dense) (v []float64) {
	for _, d := range all {
		v = append(v, numbers(d)...)
	}
	return v
}

// numbers are the elements of a value.
func numbers(v gorgonia.Value) (all []float64) {
	switch d := v.Data().(type) {
	case float64:
		return []float64{d}
	case float32:
		return []float64{float64(d)}
	case []float64:
		return slices.Clone(d)
	case []float32:
		for _, x := range d {
			all = append(all, float64(x))
		}
	}
	return all
}
