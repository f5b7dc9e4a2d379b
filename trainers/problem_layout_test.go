package trainers

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// layoutRows is the size of the mini-batch of the graphs below.
const layoutRows = 16

// layout is linear regression on the sum of two inputs, in a graph whose leaves have their
// axes in the order that a test gives them.
type layout struct {
	g     *gorgonia.ExprGraph
	q     graph.Problem
	batch graph.Batch
	rng   *rand.Rand
}

func (l *layout) leaf(name string, value *tensor.Dense) *gorgonia.Node {
	return gorgonia.NodeFromAny(l.g, value, gorgonia.WithName(name))
}

func (l *layout) numbers(shape ...int) *tensor.Dense {
	x := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range x {
		x[i] = l.rng.NormFloat64()
	}
	return denseOf(x, shape...)
}

func (l *layout) input(name string, value *tensor.Dense) *gorgonia.Node {
	n := gorgonia.NewTensor(l.g, tensor.Float64, value.Dims(), gorgonia.WithShape(value.Shape()...), gorgonia.WithName(name))
	l.q.Inputs, l.batch.X = append(l.q.Inputs, n), append(l.batch.X, value)
	return n
}

// layouts change the graph, not the function: x is what the weights multiply, and the
// output is sent through last.
var layouts = map[string]func(l *layout, x *tensor.Dense) (in *gorgonia.Node, last func(y *gorgonia.Node) *gorgonia.Node){
	"plain": func(l *layout, x *tensor.Dense) (*gorgonia.Node, func(*gorgonia.Node) *gorgonia.Node) {
		return l.halves(x), twice
	},
	"time first": func(l *layout, x *tensor.Dense) (*gorgonia.Node, func(*gorgonia.Node) *gorgonia.Node) {
		n := l.input("x", x)
		return must(gorgonia.Add(must(gorgonia.Slice(n, gorgonia.S(0), nil, nil)), must(gorgonia.Slice(n, gorgonia.S(1), nil, nil)))), twice
	},
	"a fixed number": func(l *layout, x *tensor.Dense) (*gorgonia.Node, func(*gorgonia.Node) *gorgonia.Node) {
		two := gorgonia.NewScalar(l.g, tensor.Float64, gorgonia.WithName("two"), gorgonia.WithValue(2.0))
		l.q.Fixed = gorgonia.Nodes{two}
		return l.halves(x), func(y *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Mul(y, two)) }
	},
	"a fixed matrix": func(l *layout, x *tensor.Dense) (*gorgonia.Node, func(*gorgonia.Node) *gorgonia.Node) {
		two := l.leaf("two", denseOf([]float64{2, 0, 0, 0, 2, 0, 0, 0, 2}, 3, 3))
		l.q.Fixed = gorgonia.Nodes{two}
		return l.halves(x), func(y *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Mul(y, two)) }
	},
	"an input of one row first": func(l *layout, x *tensor.Dense) (*gorgonia.Node, func(*gorgonia.Node) *gorgonia.Node) {
		two := l.input("two", denseOf([]float64{2, 2, 2}, 1, 3))
		return l.halves(x), func(y *gorgonia.Node) *gorgonia.Node {
			return must(gorgonia.BroadcastHadamardProd(y, two, nil, []byte{0}))
		}
	},
}

func twice(y *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.Mul(y, gorgonia.NewConstant(2.0)))
}

// halves are two inputs, whose sum is taken.
func (l *layout) halves(x *tensor.Dense) *gorgonia.Node {
	all := x.Float64s()
	half := len(all) / 2
	return must(gorgonia.Add(l.input("x0", denseOf(all[:half:half], layoutRows, 6)), l.input("x1", denseOf(all[half:], layoutRows, 6))))
}

func newLayout(name string) *layout {
	l := &layout{g: gorgonia.NewGraph(), rng: rand.New(rand.NewPCG(1, 7))}
	w := l.leaf("w", l.numbers(6, 3))
	in, last := layouts[name](l, l.numbers(2, layoutRows, 6))
	l.q.Output = last(must(gorgonia.Mul(in, w)))
	y := gorgonia.NewMatrix(l.g, tensor.Float64, gorgonia.WithShape(layoutRows, 3), gorgonia.WithName("y"))
	l.q.Targets, l.batch.T, l.q.Params = gorgonia.Nodes{y}, []*tensor.Dense{l.numbers(layoutRows, 3)}, gorgonia.Nodes{w}
	l.q.Cost = must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(l.q.Output, y))))))
	l.q.Divergence, l.q.Sample = graph.HalfSquared, graph.NormalTargets
	return l
}

// TestEveryOptimizerWithEveryLayout trains the same function in graphs whose inputs have
// their examples along other axes, and with leaves that have none.
func TestEveryOptimizerWithEveryLayout(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Optimizer{
		"sgd": SGD(0.001), "precond": Precond(0.05), "rate found": Precond(0), "plain": PrecondPlain(0.05), "relative": precond.Relative(0.05),
		"kfac": KFAC(0.01), "ekfac": EKFAC(0.01), "shampoo": Shampoo(0.01), "singd": SINGD(0.001),
	} {
		weights := make(map[string][]float64)
		for layout := range layouts {
			l := newLayout(layout)
			tr, err := FromProblem(l.q, o, EveryK(3))
			for step := 0; step < 12 && err == nil; step++ {
				_, err = tr.Step(l.batch)
			}
			if err != nil {
				t.Errorf("%s, %s: %v", name, layout, err)
				continue
			}
			weights[layout] = numbersOf(tr.Params()[0].Value)
		}
		for layout, got := range weights {
			if d := distance(got, weights["plain"]); !(d < 1e-9) || math.IsNaN(d) {
				t.Errorf("%s, %s: weights are off by %.1e", name, layout, d)
			}
		}
	}
}
