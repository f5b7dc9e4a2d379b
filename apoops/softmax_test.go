package apoops

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var inf = math.Inf(1)

func softmaxNode(in gorgonia.Nodes) (*gorgonia.Node, error)    { return Softmax(in[0]) }
func logSoftmaxNode(in gorgonia.Nodes) (*gorgonia.Node, error) { return LogSoftmax(in[0]) }

// rowsOf applies f to every row of length cols.
func rowsOf(x []float64, cols int, f func(row []float64) []float64) (y []float64) {
	for ; len(x) > 0; x = x[cols:] {
		y = append(y, f(x[:cols])...)
	}
	return y
}

// softmaxOf and logSoftmaxOf are the textbook formulas for small logits.
func softmaxOf(x []float64) []float64 {
	y, sum := make([]float64, len(x)), 0.0
	for _, v := range x {
		sum += math.Exp(v)
	}
	for j, v := range x {
		y[j] = math.Exp(v) / sum
	}
	return y
}

func logSoftmaxOf(x []float64) []float64 {
	y := softmaxOf(x)
	for j, p := range y {
		y[j] = math.Log(p)
	}
	return y
}

func TestSoftmax(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	for _, s := range [][]int{{5}, {1}, {3, 4}, {4, 1}, {2, 3, 4}, {2, 2, 2, 3}, {2, 150}} {
		cols := s[len(s)-1]
		x := []*tensor.Dense{randn(rng, s...)}
		opTest{
			name: "softmax", build: softmaxNode, inputs: x, wrt: []int{0},
			want: func(in [][]float64) []float64 { return rowsOf(in[0], cols, softmaxOf) },
		}.run(t)
		opTest{
			name: "logSoftmax", build: logSoftmaxNode, inputs: x, wrt: []int{0},
			want: func(in [][]float64) []float64 { return rowsOf(in[0], cols, logSoftmaxOf) },
		}.run(t)
	}
}

func TestLogSumExp(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 2))
	for _, s := range [][]int{{1, 1}, {3, 4}, {4, 1}, {2, 150}} {
		opTest{
			name:   "logSumExp",
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return LogSumExp(in[0]) },
			inputs: []*tensor.Dense{randn(rng, s...)}, wrt: []int{0},
			want: func(in [][]float64) []float64 {
				return rowsOf(in[0], s[1], func(row []float64) []float64 {
					sum := 0.0
					for _, v := range row {
						sum += math.Exp(v)
					}
					return []float64{math.Log(sum)}
				})
			},
		}.run(t)
	}
	g := gorgonia.NewGraph()
	if _, err := LogSumExp(inputNode(g, randn(rng, 5), tensor.Float64, "x")); err == nil {
		t.Error("a vector is accepted")
	}
}

// TestSoftmaxOfSpecialRows gives rows with masks, huge logits and NaNs.
func TestSoftmaxOfSpecialRows(t *testing.T) {
	nan := math.NaN()
	rows := []struct{ x, softmax, log []float64 }{
		{[]float64{100, 0, 0}, []float64{1, math.Exp(-100), math.Exp(-100)}, []float64{0, -100, -100}},
		{[]float64{-10, -10, -10}, []float64{1. / 3, 1. / 3, 1. / 3}, []float64{-math.Log(3), -math.Log(3), -math.Log(3)}},
		{[]float64{1e4, -1e4, 1e4}, []float64{0.5, 0, 0.5}, []float64{-math.Ln2, -2e4 - math.Ln2, -math.Ln2}},
		{[]float64{-1e4, -1e4, -1e4}, []float64{1. / 3, 1. / 3, 1. / 3}, []float64{-math.Log(3), -math.Log(3), -math.Log(3)}},
		{[]float64{-inf, 2, 2}, []float64{0, 0.5, 0.5}, []float64{-inf, -math.Ln2, -math.Ln2}},
		{[]float64{3, -inf, -inf}, []float64{1, 0, 0}, []float64{0, -inf, -inf}},
		{[]float64{-inf, -inf, -inf}, []float64{0, 0, 0}, []float64{-inf, -inf, -inf}},
		{[]float64{0, nan, 0}, []float64{nan, nan, nan}, []float64{nan, nan, nan}},
		{[]float64{-inf, -inf, nan}, []float64{nan, nan, nan}, []float64{nan, nan, nan}},
	}
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, r := range rows {
			// A neighbour above shows that rows do not see each other.
			x := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking(append([]float64{100, 0, 0}, r.x...)))
			c := randn(rand.New(rand.NewPCG(1, 1)), 2, 3)
			for _, f := range []struct {
				build func(gorgonia.Nodes) (*gorgonia.Node, error)
				want  []float64
			}{{softmaxNode, r.softmax}, {logSoftmaxNode, r.log}} {
				tc := opTest{name: "special row", build: f.build, wrt: []int{0}}
				y, d := tc.evaluate(t, []*tensor.Dense{x}, dt, c, true)
				compare(t, "value", y[3:], f.want, 1e-6)
				for j, v := range d[0][3:] {
					if math.IsNaN(v) != math.IsNaN(r.softmax[0]) {
						t.Fatalf("%v: gradient %v of row %v", dt, d[0][3:], r.x)
					}
					if r.x[0] == -inf && r.x[1] == -inf && r.x[2] == -inf && v != 0 {
						t.Fatalf("%v: gradient %v of element %d of a masked row", dt, v, j)
					}
				}
			}
		}
	}
}

func TestSoftmaxRefusesWrongOperands(t *testing.T) {
	g := gorgonia.NewGraph()
	for _, x := range []*gorgonia.Node{
		nil,
		gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("s")),
		gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("i")),
	} {
		if _, err := Softmax(x); err == nil {
			t.Fatalf("Softmax(%v) was accepted", x)
		}
		if _, err := LogSoftmax(x); err == nil {
			t.Fatalf("LogSoftmax(%v) was accepted", x)
		}
	}
}
