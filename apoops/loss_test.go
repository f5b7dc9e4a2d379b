package apoops

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// pairLoss is a loss of two operands of equal shape: its textbook formula for
// a row and the operand that has a gradient.
type pairLoss struct {
	name   string
	build  func(x, y *gorgonia.Node) (*gorgonia.Node, error)
	row    func(x, y []float64) float64
	of     int
	matrix bool
}

func (l pairLoss) node(in gorgonia.Nodes) (*gorgonia.Node, error) { return l.build(in[0], in[1]) }

// inputs are random operands.
func (l pairLoss) inputs(rng *rand.Rand, shape ...int) []*tensor.Dense {
	x, y := randn(rng, shape...), randn(rng, shape...)
	if l.name == "bernoulliCrossEntropy" { // targets are probabilities
		for i, v := range y.Float64s() {
			y.Float64s()[i] = 1 / (1 + math.Exp(-3*v))
		}
	}
	return []*tensor.Dense{x, y}
}

func sumOver(f func(x, y float64) float64) func(x, y []float64) float64 {
	return func(x, y []float64) (sum float64) {
		for j := range x {
			sum += f(x[j], y[j])
		}
		return sum
	}
}

func halfSquare(x, y float64) float64 { return (x - y) * (x - y) / 2 }

func categoricalOf(z, w []float64) (sum float64) {
	p, q := softmaxOf(z), softmaxOf(w)
	for j := range p {
		sum += p[j] * math.Log(p[j]/q[j])
	}
	return sum
}

func bernoulliOf(z, w float64) float64 {
	p, q := 1/(1+math.Exp(-z)), 1/(1+math.Exp(-w))
	return p*math.Log(p/q) + (1-p)*math.Log((1-p)/(1-q))
}

var pairLosses = []pairLoss{
	{"squaredError", SquaredError, sumOver(halfSquare), 0, false},
	{"squaredDivergence", SquaredDivergence, sumOver(halfSquare), 1, false},
	{"bernoulliCrossEntropy", BernoulliCrossEntropy, sumOver(func(z, t float64) float64 {
		p := 1 / (1 + math.Exp(-z))
		return -t*math.Log(p) - (1-t)*math.Log(1-p)
	}), 0, false},
	{"softCrossEntropy", SoftCrossEntropy, func(z, t []float64) (sum float64) {
		for j, p := range softmaxOf(z) {
			sum -= t[j] * math.Log(p)
		}
		return sum
	}, 0, true},
	{"softmaxNLL", SoftmaxNLL, func(z, t []float64) float64 {
		var sum, hit float64
		for j := range z {
			sum += math.Exp(z[j])
			hit += t[j] * z[j]
		}
		return math.Log(sum) - hit
	}, 0, true},
	{"categoricalKL", CategoricalKL, categoricalOf, 1, true},
	{"categoricalReverseKL", CategoricalReverseKL, func(x, y []float64) float64 { return categoricalOf(y, x) }, 1, true},
	{"bernoulliKL", BernoulliKL, sumOver(bernoulliOf), 1, false},
	{"bernoulliReverseKL", BernoulliReverseKL, sumOver(func(x, y float64) float64 { return bernoulliOf(y, x) }), 1, false},
}

func lossNamed(name string) pairLoss {
	return pairLosses[slices.IndexFunc(pairLosses, func(l pairLoss) bool { return l.name == name })]
}

// TestPairLosses compares values and gradients with the textbook formulas and
// central differences.
func TestPairLosses(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	for _, l := range pairLosses {
		for _, s := range [][]int{{4, 3}, {1, 1}, {3, 1}, {1, 7}, {2, 150}, {3, 2, 2}, {5}} {
			if l.matrix && len(s) != 2 {
				continue
			}
			opTest{
				name: l.name, build: l.node, wrt: []int{l.of},
				inputs: l.inputs(rng, s...),
				want: func(in [][]float64) []float64 {
					cols := len(in[0]) / s[0]
					var sum float64
					for i := range s[0] {
						sum += l.row(in[0][i*cols:(i+1)*cols], in[1][i*cols:(i+1)*cols])
					}
					return []float64{sum / float64(s[0])}
				},
			}.run(t)
		}
	}
}

// TestPairLossesKeepTheirConstants checks that the other operand has no
// gradient.
func TestPairLossesKeepTheirConstants(t *testing.T) {
	for _, l := range pairLosses {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
		y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("y"))
		loss, err := l.build(x, y)
		if err != nil {
			t.Fatal(err)
		}
		if d := loss.Op().(gorgonia.SDOp).DiffWRT(2); !d[l.of] || d[1-l.of] {
			t.Fatalf("%s: gradients %v", l.name, d)
		}
	}
}

func TestPairLossesRefuseWrongOperands(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(dt tensor.Dtype, name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	x := node(tensor.Float64, "x", 4, 3)
	scalar := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("scalar"))
	wrong := []*gorgonia.Node{
		nil, scalar,
		node(tensor.Float64, "transposed", 3, 4), node(tensor.Float64, "vector", 4),
		node(tensor.Float32, "float32", 4, 3), node(tensor.Int, "int", 4, 3),
	}
	for _, l := range pairLosses {
		for _, w := range wrong {
			for _, in := range [][2]*gorgonia.Node{{x, w}, {w, x}} {
				if _, err := l.build(in[0], in[1]); err == nil {
					t.Fatalf("%s(%v, %v) was accepted", l.name, in[0], in[1])
				}
			}
		}
		if _, err := l.build(scalar, scalar); err == nil {
			t.Fatalf("%s of scalars was accepted", l.name)
		}
		if v := wrong[3]; l.matrix {
			if _, err := l.build(v, v); err == nil {
				t.Fatalf("%s of vectors was accepted", l.name)
			}
		}
	}
}

// TestBernoulliCrossEntropyOfLargeLogits must neither overflow nor lose the
// tail.
func TestBernoulliCrossEntropyOfLargeLogits(t *testing.T) {
	z := matrix(1, 5, 1e4, -1e4, 1e4, -40, 40)
	target := matrix(1, 5, 1, 0, 0, 0, 1)
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		tc := opTest{name: "large logits", build: lossNamed("bernoulliCrossEntropy").node, wrt: []int{0}}
		y, d := tc.evaluate(t, []*tensor.Dense{z, target}, dt, nil, true)
		compare(t, "value", y, []float64{1e4}, 1e-7)
		compare(t, "gradient", d[0], []float64{0, 0, 1, math.Exp(-40), -math.Exp(-40)}, 1e-12)
	}
}
