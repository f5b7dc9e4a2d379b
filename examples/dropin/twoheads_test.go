package dropin

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestTwoHeads learns the policy and the value of positions, as AlphaZero does.
func TestTwoHeads(t *testing.T) {
	compare(t, twoHeads, gorgonia.NewMomentum(gorgonia.WithLearnRate(0.01)),
		trainers.SGDm(0.01), trainers.FSD(0.1, graph.CategoricalKL))
}

func twoHeads(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	const positions, batch, cells = 512, 32, 9
	boards, moves, results := games(positions)
	rng := newSource(41)
	g := gorgonia.NewGraph()
	board := input(g, "board", batch, 2, 3, 3)
	move, result := input(g, "move", batch, cells), input(g, "result", batch, 1)
	filter := rng.weights(g, "filter", scaled(18), 16, 2, 3, 3)
	wp, bp := rng.weights(g, "policy/w", scaled(16*cells), 16*cells, cells), rng.weights(g, "policy/b", 0, 1, cells)
	wv, bv := rng.weights(g, "value/w", scaled(16*cells), 16*cells, 1), rng.weights(g, "value/b", 0, 1, 1)
	params := gorgonia.Nodes{filter, wp, bp, wv, bv}

	trunk := must(gorgonia.Rectify(must(gorgonia.Conv2d(board, filter, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))))
	trunk = must(gorgonia.Reshape(trunk, tensor.Shape{batch, 16 * cells}))
	policy := affine(trunk, wp, bp)
	value := must(gorgonia.Tanh(affine(trunk, wv, bv)))
	logs := must(gorgonia.Log(must(gorgonia.SoftMax(policy))))
	policyCost := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.HadamardProd(logs, move)), 1))))))
	valueCost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(value, result))))))
	decay := must(gorgonia.Mul(gorgonia.NewConstant(1e-4), must(gorgonia.Sum(must(gorgonia.Square(wp))))))
	cost := must(gorgonia.Add(must(gorgonia.Add(policyCost, valueCost)), decay))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, params...)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: policy, Inputs: gorgonia.Nodes{board}, Targets: gorgonia.Nodes{move, result}, Params: params})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	return train(t, vm, solver, params, &loss, 10*positions/batch, positions/batch, func(step int) {
		lo := step * batch % positions
		rows(t, board, boards, lo)
		rows(t, move, moves, lo)
		rows(t, result, results, lo)
	})
}

// games draws boards of 3×3 cells with the stones of two players, the probabilities
// of the moves, which are high for free cells near the centre, and the results, which
// depend on the stones there.
func games(n int) (boards, moves, results []float64) {
	rng := newSource(42)
	for range n {
		var own, other, p [9]float64
		sum, lead := 0.0, 0.0
		for cell := range 9 {
			near := 1 / (1 + math.Abs(float64(cell/3-1)) + math.Abs(float64(cell%3-1)))
			switch rng.IntN(4) {
			case 0:
				own[cell], lead = 1, lead+near
			case 1:
				other[cell], lead = 1, lead-near
			default:
				p[cell] = math.Exp(3 * near)
				sum += p[cell]
			}
		}
		for cell := range p {
			p[cell] /= max(sum, 1)
		}
		boards = append(append(boards, own[:]...), other[:]...)
		moves = append(moves, p[:]...)
		results = append(results, math.Tanh(2*lead))
	}
	return boards, moves, results
}
