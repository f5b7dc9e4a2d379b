package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(62, 1))
	opTest{
		name:   "product",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Product(in[0], in[1]) },
		inputs: []*tensor.Dense{randn(rng, 3, 2, 3), randn(rng, 3, 2, 3)},
		wrt:    []int{0, 1},
		want: func(in [][]float64) (y []float64) {
			for i, a := range in[0] {
				y = append(y, a*in[1][i])
			}
			return y
		},
	}.run(t)
	opTest{
		name:   "square",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Product(in[0], in[0]) },
		inputs: []*tensor.Dense{randn(rng, 5)},
		wrt:    []int{0},
	}.run(t)
}

// TestInnerProduct differentiates by the first operand; the second is a constant.
func TestInnerProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(62, 3))
	opTest{
		name:   "innerProduct",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return InnerProduct(in[0], in[1], 1.5) },
		inputs: []*tensor.Dense{randn(rng, 3, 2), randn(rng, 3, 2)},
		wrt:    []int{0},
		want: func(in [][]float64) []float64 {
			var sum float64
			for i, y := range in[0] {
				sum += 1.5 * y * in[1][i]
			}
			return []float64{sum}
		},
	}.run(t)
}

func TestScaledSquares(t *testing.T) {
	rng := rand.New(rand.NewPCG(62, 4))
	opTest{
		name:   "scaledSquares",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return ScaledSquares(0.5, 3, 4, in...) },
		inputs: []*tensor.Dense{randn(rng, 2, 4), randn(rng, 4)},
		want: func(in [][]float64) (y []float64) {
			for _, x := range append(in[0], in[1]...) {
				y = append(y, 0.5*x*x)
			}
			return y
		},
	}.run(t)
}

// TestLeakyReLU compares with Gorgonia's, at 0 too.
func TestLeakyReLU(t *testing.T) {
	x := randn(rand.New(rand.NewPCG(62, 2)), 3, 3)
	x.Float64s()[4] = 0
	var values [2][][]float64
	for i, f := range []func(x *gorgonia.Node, alpha float64) (*gorgonia.Node, error){gorgonia.LeakyRelu, LeakyReLU} {
		tc := opTest{
			name: "leaky", wrt: []int{0},
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return f(in[0], 0.2) },
		}
		y, dx := tc.evaluate(t, []*tensor.Dense{x}, tensor.Float64, x, true)
		values[i] = [][]float64{y, dx[0]}
	}
	for i, what := range []string{"value", "gradient"} {
		compare(t, what, values[1][i], values[0][i], 1e-15)
	}
}
