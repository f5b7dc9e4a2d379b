package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// sketch is a user's graph in the making.
type sketch struct {
	*Problem
	t     testing.TB
	g     *gorgonia.ExprGraph
	rng   *rand.Rand
	batch Batch
}

func newSketch(t testing.TB) *sketch {
	return &sketch{&Problem{}, t, gorgonia.NewGraph(), rand.New(rand.NewPCG(71, 1)), Batch{}}
}

func (s *sketch) leaf(name string, shape ...int) *gorgonia.Node {
	v := random(s.rng, 0.7, shape...)
	return gorgonia.NewTensor(s.g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v))
}

func (s *sketch) param(shape ...int) *gorgonia.Node {
	n := s.leaf(fmt.Sprintf("param%d", len(s.Params)), shape...)
	s.Params = append(s.Params, n)
	return n
}

func (s *sketch) input(shape ...int) *gorgonia.Node {
	n := s.leaf(fmt.Sprintf("input%d", len(s.Inputs)), shape...)
	s.Inputs, s.batch.X = append(s.Inputs, n), append(s.batch.X, n.Value().(*tensor.Dense))
	return n
}

// target has rows of probabilities.
func (s *sketch) target(shape ...int) *gorgonia.Node {
	n := s.leaf(fmt.Sprintf("target%d", len(s.Targets)), shape...)
	v := n.Value().(*tensor.Dense)
	for i := range v.Float64s() {
		v.Float64s()[i] = s.rng.Float64()
	}
	for row := v.Float64s(); len(shape) == 2 && len(row) > 0; row = row[shape[1]:] {
		var sum float64
		for _, p := range row[:shape[1]] {
			sum += p
		}
		for i := range shape[1] {
			row[i] /= sum
		}
	}
	s.Targets, s.batch.T = append(s.Targets, n), append(s.batch.T, v)
	return n
}

// sumOfCubes is a cost that is no loss of any pattern.
func sumOfCubes(y *gorgonia.Node) *gorgonia.Node {
	flat := gorgonia.Must(gorgonia.Reshape(gorgonia.Must(gorgonia.Cube(y)), tensor.Shape{y.Shape().TotalSize()}))
	return gorgonia.Must(gorgonia.Sum(flat))
}

// fuseCase is a graph with a pattern, or with almost one.
type fuseCase struct {
	name  string
	build func(s *sketch) (cost *gorgonia.Node)
	// with are ops that the rebuilt graph must have, without such that it must not,
	// by the beginning of their names.
	with, without []string
}

// stockOps are those that a fused net has none of.
var stockOps = []string{"im2col", "A × B", "Repeat", "sigmoid", "tanh", "softplus", "Softmax", ">", "square"}

// base builds and runs the base graph of a sketch.
func (s *sketch) base(params []*Param) *Base {
	s.t.Helper()
	b, err := NewBase(s, params, s.batch, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, err := range []error{b.Feed(s.batch), b.Run()} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return b
}

// opNames are the ops that a node is computed with.
func opNames(loss *gorgonia.Node) (names []string) {
	for n := range ancestors(loss) {
		if n.Op() != nil && !isConstant(n.Op()) {
			names = append(names, fmt.Sprint(n.Op()))
		}
	}
	slices.Sort(names)
	return names
}

func hasOp(names []string, beginning string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, beginning) })
}

// withoutFusing runs f with graphs rebuilt op by op.
func withoutFusing(f func()) {
	fusing = false
	defer func() { fusing = true }()
	f()
}

// TestFusedPatterns compares loss and gradients with those of the op-by-op rebuild,
// of the user's own machine, and by central differences, and looks for the ops that
// are to be there.
func TestFusedPatterns(t *testing.T) {
	for _, c := range append(slices.Clone(fusedCases), almostCases...) {
		t.Run(c.name, func(t *testing.T) {
			s := newSketch(t)
			s.Cost = c.build(s)
			s.Output = s.Cost
			params, err := s.LearnableParams()
			if err != nil {
				t.Fatal(err)
			}
			fused := s.base(params)
			names := s.forwardOps(params)
			for _, op := range c.with {
				if !hasOp(names, op) {
					t.Errorf("no op %q in %q", op, names)
				}
			}
			for _, op := range c.without {
				if hasOp(names, op) {
					t.Errorf("op %q in %q", op, names)
				}
			}
			grads, err := fused.Grads()
			if err != nil {
				t.Fatal(err)
			}
			checkGradient(t, valuesOf(params), cloneArrays(grads), func() float64 {
				if err := fused.Run(); err != nil {
					t.Fatal(err)
				}
				return fused.LossValue()
			})
			if err := fused.Run(); err != nil {
				t.Fatal(err)
			}
			withoutFusing(func() {
				plain := s.base(params)
				s.mustAgree("op by op", fused, []float64{plain.LossValue()}, plain)
			})
			loss, own := s.ownMachine()
			if d := apart([]float64{loss}, []float64{fused.LossValue()}); d > 1e-12 {
				t.Errorf("loss %v, the user's machine has %v", fused.LossValue(), loss)
			}
			for i, g := range own {
				if d := apart(g, numbers(grads[i])); d > 1e-12 {
					t.Errorf("gradient of %s: the user's machine differs by %.2g", params[i].Name, d)
				}
			}
		})
	}
}

func (s *sketch) mustAgree(what string, fused *Base, loss []float64, plain *Base) {
	s.t.Helper()
	if d := apart(loss, []float64{fused.LossValue()}); d > 1e-12 {
		s.t.Errorf("loss %v, %s %v", fused.LossValue(), what, loss)
	}
	a, err := fused.Grads()
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := plain.Grads()
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range a {
		if d := apart(numbers(b[i]), numbers(a[i])); d > 1e-12 {
			s.t.Errorf("gradient of %s: %s differs by %.2g", s.Params[i].Name(), what, d)
		}
	}
}

// forwardOps are the ops of J_B(θ).
func (s *sketch) forwardOps(params []*Param) []string {
	s.t.Helper()
	p := newProgram(tensor.Float64)
	x, y := p.inputsLike(s.batch.X, "x"), p.inputsLike(s.batch.T, "t")
	theta, err := p.weights(params, "theta")
	if err != nil {
		s.t.Fatal(err)
	}
	loss, err := s.BuildLoss(&Pass{Role: BaseRole}, x, y, theta)
	if err != nil {
		s.t.Fatal(err)
	}
	return opNames(loss)
}

// ownMachine is the loss and its gradients by Gorgonia alone.
func (s *sketch) ownMachine() (loss float64, grads [][]float64) {
	s.t.Helper()
	nodes, err := gorgonia.Grad(s.Cost, s.Params...)
	if err != nil {
		s.t.Fatal(err)
	}
	var value gorgonia.Value
	gorgonia.Read(s.Cost, &value)
	vm := gorgonia.NewTapeMachine(s.g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		s.t.Fatal(err)
	}
	for _, n := range nodes {
		grads = append(grads, numbers(n.Value()))
	}
	return scalar(value), grads
}

func valuesOf(params []*Param) (v []*tensor.Dense) {
	for _, p := range params {
		v = append(v, p.Value)
	}
	return v
}

func cloneArrays(a []*tensor.Dense) (c []*tensor.Dense) {
	for _, t := range a {
		c = append(c, t.Clone().(*tensor.Dense))
	}
	return c
}

// TestPatternsStopAtReplacedNodes gives a node inside of a pattern another value, as
// the drawing of targets does: what is behind it must not be looked at.
func TestPatternsStopAtReplacedNodes(t *testing.T) {
	s := newSketch(t)
	must := gorgonia.Must
	z := must(gorgonia.Mul(s.input(2, 3), s.param(3, 2)))
	y := must(gorgonia.Tanh(z))
	p := newProgram(tensor.Float64)
	given := p.input(tensor.Float64, tensor.Shape{2, 2}, "given")
	if err := gorgonia.Let(given, tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{0, 1, 2, 3}))); err != nil {
		t.Fatal(err)
	}
	m, err := rebuild(y, map[*gorgonia.Node]*gorgonia.Node{z: given}, &Pass{})
	if err != nil {
		t.Fatal(err)
	}
	var value gorgonia.Value
	gorgonia.Read(m, &value)
	for _, err := range []error{p.compile(), p.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range numbers(value) {
		if math.Abs(v-math.Tanh(float64(i))) > 1e-15 {
			t.Errorf("tanh %d is %v", i, v)
		}
	}
}

// TestFusedCurvature compares the Kronecker factors of layers with and without their
// biases joined.
func TestFusedCurvature(t *testing.T) {
	s := newSketch(t)
	must := gorgonia.Must
	h := must(gorgonia.Tanh(affine(s, 6, 3, 5)))
	z := must(gorgonia.Mul(h, s.param(5, 4)))
	s.Cost, s.Output = must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(z, s.target(6, 4))))))), z
	s.Pairs = []Pair{{s.Params[0], s.Params[1]}}
	params, err := s.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := s.Blocks(params)
	if err != nil {
		t.Fatal(err)
	}
	factors := func() (all [][]float64) {
		c, err := NewCurvature(CurvatureConfig{Source: s, Params: params, Blocks: blocks, Batch: s.batch})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{c.Feed(s.batch), c.RunFor(true, false)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range blocks {
			if !c.Has(i) {
				t.Fatalf("block %d has no factors", i)
			}
			a, g, err := c.Moments(i)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, numbers(a), numbers(g))
		}
		return all
	}
	fused := factors()
	withoutFusing(func() {
		for i, want := range factors() {
			if d := apart(want, fused[i]); d > 1e-12 || len(want) != len(fused[i]) {
				t.Errorf("factor %d: %d and %d numbers, %.2g apart", i, len(fused[i]), len(want), d)
			}
		}
	})
}
