package apoops_test

import (
	"fmt"
	"log"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// sheet is a graph with a value for each of its leaves.
type sheet struct{ g *gorgonia.ExprGraph }

func newSheet() sheet { return sheet{gorgonia.NewGraph()} }

// leaf is an array of the given shape.
func (s sheet) leaf(shape tensor.Shape, values ...float64) *gorgonia.Node {
	return s.with(tensor.Float64, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values)))
}

// numbers are whole numbers, such as classes or tokens.
func (s sheet) numbers(shape tensor.Shape, values ...int) *gorgonia.Node {
	return s.with(tensor.Int, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values)))
}

func (s sheet) with(dt tensor.Dtype, value *tensor.Dense) *gorgonia.Node {
	return gorgonia.NewTensor(s.g, dt, value.Dims(), gorgonia.WithShape(value.Shape()...),
		gorgonia.WithName(fmt.Sprintf("leaf%d", len(s.g.AllNodes()))), gorgonia.WithValue(value))
}

// scalar is a number.
func (s sheet) scalar(value float64) *gorgonia.Node {
	return gorgonia.NewScalar(s.g, tensor.Float64, gorgonia.WithName(fmt.Sprintf("leaf%d", len(s.g.AllNodes()))), gorgonia.WithValue(value))
}

// run computes all nodes.
func (s sheet) run() {
	vm := gorgonia.NewTapeMachine(s.g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		log.Fatal(err)
	}
}

// show computes all nodes and prints the values of some.
func (s sheet) show(format string, nodes ...*gorgonia.Node) {
	s.run()
	for _, n := range nodes {
		fmt.Printf(format+"\n", n.Value().Data())
	}
}

func ExampleReLU() {
	s, must := newSheet(), gorgonia.Must
	x := s.leaf(tensor.Shape{1, 3}, -1, 0, 2)
	tanh, err := apoops.ParseActivation("tanh")
	if err != nil {
		log.Fatal(err)
	}
	s.show("%.2f", must(apoops.ReLU(x)), must(apoops.LeakyReLU(x, 0.1)), must(apoops.Sigmoid(x)), must(apoops.Tanh(x)), must(apoops.Activate(tanh, x)))
	// Output:
	// [0.00 0.00 2.00]
	// [-0.10 0.00 2.00]
	// [0.27 0.50 0.88]
	// [-0.76 0.00 0.96]
	// [-0.76 0.00 0.96]
}

// Arithmetic by element.
func ExampleAdd() {
	s, must := newSheet(), gorgonia.Must
	a, b := s.leaf(tensor.Shape{1, 2}, 4, 16), s.leaf(tensor.Shape{1, 2}, -5, 1)
	s.show("%.2f",
		must(apoops.Add(a, b)), must(apoops.AddActivate(a, b, apoops.ReLUAct)), must(apoops.Minus(a, b)), must(apoops.Product(a, b)), must(apoops.Times(a, 0.5)),
		must(apoops.Log2(a)), must(apoops.InverseSqrt(a)), must(apoops.ScaledSquares(0.1, 2, 1, a)), must(apoops.InnerProduct(a, b, 0.5)))
	// Output:
	// [-1.00 17.00]
	// [0.00 17.00]
	// [9.00 15.00]
	// [-20.00 16.00]
	// [2.00 8.00]
	// [2.00 4.00]
	// [0.50 0.25]
	// [1.60 25.60]
	// -2.00
}

// Parts of arrays, and arrays put together.
func ExampleConcat() {
	s, must := newSheet(), gorgonia.Must
	x, row := s.leaf(tensor.Shape{2, 2}, 1, 2, 3, 4), s.leaf(tensor.Shape{2}, 5, 6)
	twice := s.numbers(tensor.Shape{3}, 1, 1, 0)
	s.show("%.0f",
		must(apoops.Concat(1, x, x)),      // columns behind columns
		must(apoops.Slice(x, 1, 1, 1, 1)), // the second column
		must(apoops.Take(x, twice, 0)),    // the second row twice, and the first
		must(apoops.Repeat(row, 0, 3, 2)), // three rows
		must(apoops.Segment(x, 1, 2)),     // the second and the third element
		must(apoops.Reshape(x, 4)))        // a vector
	// Output:
	// [1 2 1 2 3 4 3 4]
	// [2 4]
	// [3 4 3 4 1 2]
	// [5 6 5 6 5 6]
	// [2 3]
	// [1 2 3 4]
}

func ExampleSum() {
	s, must := newSheet(), gorgonia.Must
	x := s.leaf(tensor.Shape{2, 2}, 1, 2, 3, 4)
	s.show("%.0f", must(apoops.Sum(x, 0)), must(apoops.Sum(x, 0, 1)), must(apoops.Max(x, 1)), must(apoops.HalfSquaredNorm(x)))
	// Output:
	// [4 6]
	// 10
	// [2 4]
	// 15
}

// The logits of probabilities ¼ and ¾.
func ExampleSoftmax() {
	s, must := newSheet(), gorgonia.Must
	x := s.leaf(tensor.Shape{1, 2}, 0, math.Log(3))
	s.show("%.3f", must(apoops.Softmax(x)), must(apoops.LogSoftmax(x)), must(apoops.LogSumExp(x)),
		must(apoops.SoftmaxAlong(x, 0)), must(apoops.LogSoftmaxAlong(x, 0)), must(apoops.SparsemaxAlong(x, 1)))
	// Output:
	// [0.250 0.750]
	// [-1.386 -0.288]
	// [1.386]
	// [1.000 1.000]
	// [0.000 0.000]
	// [0.000 1.000]
}

// Losses of one example, but for SquaredError, ½·(2² + 3²)/2. A token of padding does not count.
func ExampleSoftmaxCrossEntropy() {
	s, must := newSheet(), gorgonia.Must
	logits := s.leaf(tensor.Shape{1, 2}, 0, math.Log(3))
	class, half := s.numbers(tensor.Shape{1}, 1), s.leaf(tensor.Shape{1, 2}, 0.5, 0.5)
	words, tokens := s.leaf(tensor.Shape{2, 3}, 0, 0, math.Log(2), 7, 8, 9), s.numbers(tensor.Shape{1, 2}, 2, 0)
	s.show("%.3f",
		must(apoops.SoftmaxCrossEntropy(logits, class)), // -ln ¾
		must(apoops.SoftCrossEntropy(logits, half)), must(apoops.SoftmaxNLL(logits, half)),
		must(apoops.BernoulliCrossEntropy(s.leaf(tensor.Shape{1, 1}, 0), s.leaf(tensor.Shape{1, 1}, 1))), // ln 2
		must(apoops.SquaredError(s.leaf(tensor.Shape{2, 1}, 1, 2), s.leaf(tensor.Shape{2, 1}, 3, 5))),
		must(apoops.TokenCrossEntropy(words, tokens, apoops.TokenSettings{Padding: 0}))) // -ln ½
	// Output:
	// 0.288
	// 0.837
	// 0.837
	// 0.693
	// 3.250
	// 0.693
}

// Divergences of the probabilities ¼ and ¾ from ½ and ½.
func ExampleCategoricalKL() {
	s, must := newSheet(), gorgonia.Must
	old, moved := s.leaf(tensor.Shape{1, 2}, 0, 0), s.leaf(tensor.Shape{1, 2}, 0, math.Log(3))
	one, three := s.leaf(tensor.Shape{1, 1}, 0), s.leaf(tensor.Shape{1, 1}, math.Log(3))
	token := s.numbers(tensor.Shape{1, 1}, 5)
	s.show("%.3f",
		must(apoops.CategoricalKL(old, moved)), must(apoops.CategoricalReverseKL(old, moved)),
		must(apoops.BernoulliKL(one, three)), must(apoops.BernoulliReverseKL(one, three)),
		must(apoops.TokenKL(old, moved, token, 0)), must(apoops.TokenReverseKL(old, moved, token, 0)),
		must(apoops.SquaredDivergence(old, moved))) // ½·(ln 3)²
	// Output:
	// 0.144
	// 0.131
	// 0.144
	// 0.131
	// 0.144
	// 0.131
	// 0.603
}

// Targets as the model's outputs have them: of logits that leave no choice.
func ExampleSampleCategorical() {
	s, must := newSheet(), gorgonia.Must
	noise := apoops.NewRandom(1)
	z := s.leaf(tensor.Shape{1, 2}, 0, 1000)
	normal := must(apoops.SampleNormal(s.leaf(tensor.Shape{1, 1}, 1000), noise))
	s.show("%v",
		must(apoops.SampleCategorical(z, noise)),
		must(apoops.SampleBernoulli(s.leaf(tensor.Shape{1, 2}, -1000, 1000), noise)),
		must(apoops.SampleTokens(z, s.numbers(tensor.Shape{1, 1}, 7), 0, noise)))
	fmt.Println(math.Abs(normal.Value().Data().([]float64)[0]-1000) < 10)
	// Output:
	// [1]
	// [0 1]
	// [1]
	// true
}

// Random directions q with E qqᵀ the Hessian of a divergence: ¼·[1 -1; -1 1] for two classes
// of probability ½, ¼ for one binary output, 1 for a number.
func ExampleProbeCategorical() {
	s, must := newSheet(), gorgonia.Must
	noise := apoops.NewRandom(1)
	z, token := s.leaf(tensor.Shape{1, 2}, 0, 0), s.numbers(tensor.Shape{1, 1}, 7)
	classes, tokens := must(apoops.ProbeCategorical(z, noise)), must(apoops.ProbeTokens(z, token, 0, noise))
	one := s.leaf(tensor.Shape{1, 1}, 0)
	binary, number := must(apoops.ProbeBernoulli(one, noise)), must(apoops.ProbeSquared(one, noise))
	s.run()
	for _, n := range []*gorgonia.Node{classes, tokens} {
		q := n.Value().Data().([]float64)
		fmt.Println(q[0] == -q[1])
	}
	for _, n := range []*gorgonia.Node{binary, number} {
		fmt.Println(math.Abs(n.Value().Data().([]float64)[0]))
	}
	// Output:
	// true
	// true
	// 0.5
	// 1
}

// Elements are 0 or twice as large.
func ExampleDropout() {
	s, must := newSheet(), gorgonia.Must
	masks := apoops.NewRandom(1)
	y := must(apoops.Dropout(s.leaf(tensor.Shape{1, 4}, 1, 1, 1, 1), 0.5, masks, 0))
	s.run()
	for _, v := range y.Value().Data().([]float64) {
		fmt.Println(v == 0 || v == 2)
	}
	// Output:
	// true
	// true
	// true
	// true
}
