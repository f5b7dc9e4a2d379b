package layers_test

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// The first lines of "Der Panther" by Rainer Maria Rilke, 1902.
const panther = `Sein Blick ist vom Vorübergehn der Stäbe
so müd geworden, dass er nichts mehr hält.
`

// letters are the tokens of a text, 1 and up, and the letters by their tokens.
func letters(text string) (tokens []int, alphabet []rune) {
	alphabet = []rune{'_'} // padding
	number := map[rune]int{}
	for _, r := range text {
		if number[r] == 0 {
			number[r] = len(alphabet)
			alphabet = append(alphabet, r)
		}
		tokens = append(tokens, number[r])
	}
	return tokens, alphabet
}

// continued writes on greedily: the model's most likely letter after the last ones.
func continued(t *testing.T, m graph.Model, params []*graph.Param, tokens []int, count int) []int {
	t.Helper()
	window := len(tokens)
	g := gorgonia.NewGraph()
	in := tensor.New(tensor.WithShape(1, window), tensor.Of(tensor.Int))
	x := gorgonia.NewMatrix(g, tensor.Int, gorgonia.WithShape(1, window), gorgonia.WithName("x"), gorgonia.WithValue(in))
	var theta gorgonia.Nodes
	for _, p := range params {
		theta = append(theta, gorgonia.NodeFromAny(g, p.Value, gorgonia.WithName(p.Name)))
	}
	y, err := m.Output(&graph.Pass{Role: graph.EvalRole}, gorgonia.Nodes{x}, theta)
	if err != nil {
		t.Fatal(err)
	}
	var logits gorgonia.Value
	gorgonia.Read(y, &logits)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	for range count {
		copy(in.Ints(), tokens[len(tokens)-window:])
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		all := logits.Data().([]float32)
		row := all[len(all)/window*(window-1):]
		best := 0
		for i, v := range row {
			if v > row[best] {
				best = i
			}
		}
		tokens = append(tokens, best)
	}
	return tokens
}

// nextToken is the loss of targets that all count: there is no padding.
var nextToken = graph.TokenCrossEntropy(graph.TokenSettings{})

// windows are those of the tokens, one from every stride-th token on, and the tokens
// after each of theirs.
func windows(tokens []int, window, stride int) graph.Batch {
	var x, next []int
	for i := 0; i < len(tokens)-window; i += stride {
		x, next = append(x, tokens[i:i+window]...), append(next, tokens[i+1:i+window+1]...)
	}
	return graph.Batch{
		X: []*tensor.Dense{tensor.New(tensor.WithShape(len(x)/window, window), tensor.WithBacking(x))},
		T: []*tensor.Dense{tensor.New(tensor.WithShape(len(next)/window, window), tensor.WithBacking(next))},
	}
}

// TestLanguageModelLearnsText trains a decoder on the windows of two lines, until it
// writes them on from their first words.
func TestLanguageModelLearnsText(t *testing.T) {
	const window = 10
	tokens, alphabet := letters(panther)
	model := layers.LanguageModel(layers.TransformerConfig{
		Decoder: 2, Width: 32, Heads: 4, FeedForward: 64, Vocabulary: len(alphabet), Shared: true, PreNorm: true,
	})
	tr, err := trainers.New(model, nextToken, trainers.Adam(5e-3), trainers.Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	batch := windows(tokens, window, 1)
	for range 120 {
		if _, err := tr.Step(batch); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	for _, k := range continued(t, model, tr.Params(), tokens[:window], len(tokens)-window) {
		text.WriteRune(alphabet[k])
	}
	if text.String() != panther {
		t.Errorf("the model writes\n%s", text.String())
	}
}

// TestLanguageModelByAllOptimizers: every optimizer takes a text's model as it is, with
// the table both as input and output or as input alone; those that know matrices say
// what they do with the table.
func TestLanguageModelByAllOptimizers(t *testing.T) {
	tokens, alphabet := letters(panther)
	batch := windows(tokens, 8, 8)
	for _, name := range []string{"sgdm", "adamw", "kfac", "ekfac", "shampoo", "precond", "precond-plain"} {
		for _, shared := range []bool{true, false} {
			model := layers.LanguageModel(layers.TransformerConfig{
				Decoder: 1, Width: 16, Heads: 2, FeedForward: 24, Vocabulary: len(alphabet), Shared: shared, PreNorm: true,
			})
			o, err := trainers.NewOptimizer(name, 1e-2, nil)
			if err != nil {
				t.Fatal(err)
			}
			tr, err := trainers.New(model, nextToken, o, trainers.Seed(1), trainers.EveryK(3))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var losses []float64
			for range 12 {
				r, err := tr.Step(batch)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				losses = append(losses, r.Loss)
			}
			if !(losses[11] < losses[0]) {
				t.Errorf("%s: the losses are %.3f", name, losses)
			}
			notes, table := strings.Join(tr.Notes(), "\n"), "target"
			if shared {
				table = "embedding"
			}
			if name != "sgdm" && name != "adamw" && !strings.Contains(notes, table) {
				t.Errorf("%s says nothing of the table: %q", name, notes)
			}
		}
	}
}
