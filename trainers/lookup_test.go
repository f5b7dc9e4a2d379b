package trainers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// lookupLoop is the training loop of a user whose net looks rows up by Gorgonia's own
// ByIndices: three tokens of each of four sentences, the middle one to be guessed, and the
// table as the output matrix too.
type lookupLoop struct {
	problem   graph.Problem
	x, labels *gorgonia.Node
	vm        gorgonia.VM
	rng       *rand.Rand
}

const lookupVocabulary, lookupWidth, lookupSentences = 7, 3, 4

func newLookupLoop(t testing.TB, tied bool) *lookupLoop {
	t.Helper()
	g := gorgonia.NewGraph()
	u := &lookupLoop{rng: rand.New(rand.NewPCG(61, 1))}
	must := gorgonia.Must
	param := func(name string, shape ...int) *gorgonia.Node {
		v := make([]float64, tensor.Shape(shape).TotalSize())
		for i := range v {
			v[i] = 0.5 * u.rng.NormFloat64()
		}
		n := gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(denseOf(v, shape...)))
		u.problem.Params = append(u.problem.Params, n)
		return n
	}
	u.x = gorgonia.NewVector(g, tensor.Int, gorgonia.WithName("x"), gorgonia.WithShape(3*lookupSentences))
	u.labels = gorgonia.NewVector(g, tensor.Int, gorgonia.WithName("labels"), gorgonia.WithShape(lookupSentences))
	table := param("table", lookupVocabulary, lookupWidth)
	rows := must(gorgonia.Reshape(must(gorgonia.ByIndices(table, u.x, 0)), tensor.Shape{lookupSentences, 3 * lookupWidth}))
	h := must(gorgonia.Tanh(must(gorgonia.Mul(rows, param("hidden", 3*lookupWidth, lookupWidth)))))
	out := must(gorgonia.Transpose(table, 1, 0))
	if !tied {
		out = param("out", lookupWidth, lookupVocabulary)
	}
	y := must(gorgonia.Mul(h, out))
	u.problem.Cost, u.problem.Output = must(apoops.SoftmaxCrossEntropy(y, u.labels)), y
	u.problem.Inputs, u.problem.Targets = gorgonia.Nodes{u.x}, gorgonia.Nodes{u.labels}
	u.problem.Divergence, u.problem.Sample = graph.CategoricalKL, graph.CategoricalTargets
	u.feed(t)
	return u
}

// batch has no token 0 among the inputs.
func (u *lookupLoop) batch() (x, labels *tensor.Dense) {
	tokens, classes := make([]int, 3*lookupSentences), make([]int, lookupSentences)
	for i := range tokens {
		tokens[i] = 1 + u.rng.IntN(lookupVocabulary-1)
	}
	for i := range classes {
		classes[i] = (tokens[3*i] + tokens[3*i+2]) % lookupVocabulary
	}
	return denseOf(tokens, len(tokens)), denseOf(classes, len(classes))
}

func (u *lookupLoop) feed(t testing.TB) graph.Batch {
	t.Helper()
	x, labels := u.batch()
	for _, err := range []error{gorgonia.Let(u.x, x), gorgonia.Let(u.labels, labels)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return graph.NewBatch(x, labels)
}

// train takes steps of the user's machine with a solver.
func (u *lookupLoop) train(t testing.TB, solver gorgonia.Solver, steps int) {
	t.Helper()
	u.vm = gorgonia.NewTapeMachine(u.problem.Cost.Graph(), gorgonia.BindDualValues(u.problem.Params...))
	defer u.vm.Close()
	for range steps {
		u.feed(t)
		for _, err := range []error{u.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		u.vm.Reset()
	}
}

func (u *lookupLoop) grad(t testing.TB) {
	t.Helper()
	if _, err := gorgonia.Grad(u.problem.Cost, u.problem.Params...); err != nil {
		t.Fatal(err)
	}
}

// TestLookupEqualsPlainSolver trains with Gorgonia's own solver, by Wrap and by
// FromProblem.
func TestLookupEqualsPlainSolver(t *testing.T) {
	for _, tied := range []bool{false, true} {
		plain, wrapped, alone := newLookupLoop(t, tied), newLookupLoop(t, tied), newLookupLoop(t, tied)
		plain.grad(t)
		plain.train(t, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.3)), 8)
		wrapped.grad(t)
		solver, err := Wrap(wrapped.problem, SGD(0.3), EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		wrapped.train(t, solver, 8)
		tr, err := FromProblem(alone.problem, SGD(0.3), EveryK(0), Dtype(tensor.Float64))
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			if _, err := tr.Step(alone.feed(t)); err != nil {
				t.Fatal(err)
			}
		}
		for i, p := range plain.problem.Params {
			want := p.Value().(*tensor.Dense).Float64s()
			closeArrays(t, fmt.Sprintf("Wrap, tied %v, %s", tied, p.Name()), wrapped.problem.Params[i].Value().(*tensor.Dense).Float64s(), want, 1e-13)
			closeArrays(t, fmt.Sprintf("FromProblem, tied %v, %s", tied, p.Name()), tr.Params()[i].Value.Float64s(), want, 1e-13)
		}
	}
}

func closeArrays(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	for i := range want {
		if d := got[i] - want[i]; !(d <= tol && d >= -tol) {
			t.Fatalf("%s: element %d is %v, not %v", what, i, got[i], want[i])
		}
	}
}

// TestLookupWithEveryOptimizer takes meta-steps by Wrap; the table is no matrix, and a row
// without a token stays.
func TestLookupWithEveryOptimizer(t *testing.T) {
	for name, o := range everyOptimizer() {
		u := newLookupLoop(t, false)
		before := slices.Clone(u.problem.Params[0].Value().(*tensor.Dense).Float64s())
		u.grad(t)
		solver, err := Wrap(u.problem, o, EveryK(2))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		u.train(t, solver, 6)
		after := u.problem.Params[0].Value().(*tensor.Dense).Float64s()
		if slices.Equal(before[3:], after[3:]) {
			t.Errorf("%s: the table did not move", name)
		}
		switch name {
		case "precond", "precond, rate found", "precond plain", "shampoo", "kfac", "ekfac", "singd", "singd kfac-like":
			decays := name == "precond" || name == "kfac" || name == "singd" // weight decay moves all rows
			if !decays && !slices.Equal(before[:3], after[:3]) {
				t.Errorf("%s: the row of a token that does not occur moved", name)
			}
			if !slices.ContainsFunc(solver.Notes(), func(n string) bool { return strings.Contains(n, "table") && strings.Contains(n, "no weight matrix") }) {
				t.Errorf("%s: notes %q", name, solver.Notes())
			}
		}
	}
}
