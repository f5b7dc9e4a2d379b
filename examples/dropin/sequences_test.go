package dropin

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

const proverbs = "the early bird catches the worm. a rolling stone gathers no moss. " +
	"a bird in the hand is worth two in the bush. look before you leap. "

// TestCharRNN predicts the next letter with an LSTM, unrolled for a tape machine.
func TestCharRNN(t *testing.T) {
	compare(t, charRNN, gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.003), gorgonia.WithClip(5)),
		trainers.Adam(0.003), trainers.FSD(0.1, graph.CategoricalKL))
}

func charRNN(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	const length, batch, hidden = 6, 8, 16
	letters := []rune(proverbs)
	var alphabet []rune
	for _, r := range letters {
		if !strings.ContainsRune(string(alphabet), r) {
			alphabet = append(alphabet, r)
		}
	}
	rng := newSource(31)
	g := gorgonia.NewGraph()
	n := len(alphabet)
	wx, wh := rng.weights(g, "wx", scaled(n), n, 4*hidden), rng.weights(g, "wh", scaled(hidden), hidden, 4*hidden)
	b := rng.weights(g, "b", 0, 1, 4*hidden)
	wo, bo := rng.weights(g, "wo", scaled(hidden), hidden, n), rng.weights(g, "bo", 0, 1, n)
	params := gorgonia.Nodes{wx, wh, b, wo, bo}

	h, c := input(g, "h0", batch, hidden), input(g, "c0", batch, hidden)
	inputs := gorgonia.Nodes{h, c}
	var targets, outputs gorgonia.Nodes
	var cost *gorgonia.Node
	for i := range length {
		x, y := input(g, fmt.Sprintf("x%d", i), batch, n), input(g, fmt.Sprintf("y%d", i), batch, n)
		inputs, targets = append(inputs, x), append(targets, y)
		gates := must(gorgonia.BroadcastAdd(must(gorgonia.Add(must(gorgonia.Mul(x, wx)), must(gorgonia.Mul(h, wh)))), b, nil, []byte{0}))
		gate := func(k int) *gorgonia.Node {
			return must(gorgonia.Slice(gates, nil, gorgonia.S(k*hidden, (k+1)*hidden)))
		}
		in, forget, out := must(gorgonia.Sigmoid(gate(0))), must(gorgonia.Sigmoid(gate(1))), must(gorgonia.Sigmoid(gate(2)))
		kept := must(gorgonia.HadamardProd(forget, c))
		c = must(gorgonia.Add(kept, must(gorgonia.HadamardProd(in, must(gorgonia.Tanh(gate(3)))))))
		h = must(gorgonia.HadamardProd(out, must(gorgonia.Tanh(c))))
		logits := affine(h, wo, bo)
		outputs = append(outputs, logits)
		logs := must(gorgonia.Log(must(gorgonia.SoftMax(logits))))
		step := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.HadamardProd(logs, y)), 1))))))
		if cost == nil {
			cost = step
		} else {
			cost = must(gorgonia.Add(cost, step))
		}
	}
	output := must(gorgonia.Concat(0, outputs...))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, params...)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: output, Inputs: inputs, Targets: targets, Params: params})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	return train(t, vm, solver, params, &loss, 200, 20, func(step int) {
		for i, x := range inputs[2:] {
			check(t, gorgonia.Let(x, oneHot(letters, alphabet, 7*step*batch+i, 7, batch)))
			check(t, gorgonia.Let(targets[i], oneHot(letters, alphabet, 7*step*batch+i+1, 7, batch)))
		}
	})
}

// oneHot codes letters from, from+stride, … of the text, which goes round.
func oneHot(text, alphabet []rune, from, stride, batch int) *tensor.Dense {
	v := make([]float64, batch*len(alphabet))
	for row := range batch {
		letter := text[(from+row*stride)%len(text)]
		for k, r := range alphabet {
			if r == letter {
				v[row*len(alphabet)+k] = 1
			}
		}
	}
	return tensor.New(tensor.WithShape(batch, len(alphabet)), tensor.WithBacking(v))
}
