package dropin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// program is a training program as users of Gorgonia write it. It builds a graph,
// trains with the solver that solverFor makes for its problem, and returns the mean
// loss of its last pass over the data. Only Wrap needs the problem, so the problem is
// one of the changed lines.
type program func(t testing.TB, solver func(graph.Problem) gorgonia.Solver) float64

// compare runs the program with Gorgonia's solver, then with Wrap in its place. The
// second loss must be at or below the first.
func compare(t *testing.T, p program, theirs gorgonia.Solver, ours trainers.Optimizer, opts ...trainers.Option) {
	t.Helper()
	plain := p(t, func(graph.Problem) gorgonia.Solver { return theirs })
	apo := p(t, func(problem graph.Problem) gorgonia.Solver {
		solver, err := trainers.Wrap(problem, ours, opts...)
		check(t, err)
		for _, note := range solver.Notes() {
			t.Log(note)
		}
		return solver
	})
	t.Logf("loss %.4g with %T, %.4g with Wrap", plain, theirs, apo)
	if !(apo <= plain) {
		t.Errorf("loss %v with Wrap, %v with %T", apo, plain, theirs)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var must = gorgonia.Must

const (
	batchRows = 32
	epoch     = 1437 / batchRows // steps in a pass over the digits
)

// source is a seeded source of data and initial weights.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 1))} }

// array draws an array from N(0, scale²).
func (s source) array(scale float64, shape ...int) *tensor.Dense {
	v := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range v {
		v[i] = scale * s.NormFloat64()
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
}

// weights makes a parameter from such an array.
func (s source) weights(g *gorgonia.ExprGraph, name string, scale float64, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithValue(s.array(scale, shape...)))
}

// scaled is 1/√inputs, the usual standard deviation of initial weights.
func scaled(inputs int) float64 { return 1 / math.Sqrt(float64(inputs)) }

// input makes an input node of zeros.
func input(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	value := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float64))
	return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithValue(value))
}

// affine is x·w + b for a bias of one row.
func affine(x, w, b *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
}

// digits are images of handwritten digits, 64 pixels each, and their labels one
// hot.
func digits(t testing.TB) (images, labels []float64) {
	train, _, err := datasets.Digits(tensor.Float64)
	check(t, err)
	labels = make([]float64, 10*train.Len())
	for i, label := range train.T.Ints() {
		labels[10*i+label] = 1
	}
	return train.X.Float64s(), labels
}

// rows binds rows lo to lo+n of data to a node, as a view of the node's shape.
func rows(t testing.TB, node *gorgonia.Node, data []float64, lo int) {
	t.Helper()
	n := node.Shape()[0]
	width := node.Shape().TotalSize() / n
	all := tensor.New(tensor.WithShape(len(data)/width, width), tensor.WithBacking(data))
	view, err := all.Slice(gorgonia.S(lo, lo+n))
	check(t, err)
	check(t, view.Reshape(node.Shape()...))
	check(t, gorgonia.Let(node, view))
}

// train is the training loop of all programs. feed binds the batch of a step, and loss
// has the cost after each run. It returns the mean loss of the last steps.
func train(t testing.TB, vm gorgonia.VM, solver gorgonia.Solver, params gorgonia.Nodes, loss *gorgonia.Value, steps, last int, feed func(step int)) float64 {
	t.Helper()
	sum := 0.0
	for step := range steps {
		feed(step)
		check(t, vm.RunAll())
		check(t, solver.Step(gorgonia.NodesToValueGrads(params)))
		vm.Reset()
		if step >= steps-last {
			sum += (*loss).Data().(float64)
		}
	}
	return sum / float64(last)
}

// TestSwapsAreShort counts the lines that change when a program uses Wrap: the two
// imports, the call on two lines, the check of its error, and the problem.
func TestSwapsAreShort(t *testing.T) {
	const besides = 2 + 2 + 1
	files, err := filepath.Glob("*_test.go")
	check(t, err)
	programs := 0
	for _, file := range files {
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, 0)
		check(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			problem, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if s, ok := problem.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Problem" {
				programs++
				lines := set.Position(problem.End()).Line - set.Position(problem.Pos()).Line + 1
				if lines+besides > 10 {
					t.Errorf("%v: %d lines change, more than 10", set.Position(problem.Pos()), lines+besides)
				}
			}
			return true
		})
	}
	if programs == 0 {
		t.Error("no programs found")
	}
}
