package trainers

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// sentences are six of four tokens below 12, with padding; a target is the next token.
// No sentence has token 11.
func sentences() Data {
	return Data{
		X: denseOf([]int{1, 3, 4, 5, 1, 6, 7, 0, 1, 8, 0, 0, 1, 3, 9, 4, 1, 10, 6, 0, 1, 5, 0, 0}, 6, 4),
		T: denseOf([]int{3, 4, 5, 2, 6, 7, 2, 0, 8, 2, 0, 0, 3, 9, 4, 2, 10, 6, 2, 0, 5, 2, 0, 0}, 6, 4),
	}
}

func languageModel(shared bool) *layers.DecoderModel {
	return layers.LanguageModel(layers.TransformerConfig{Decoder: 1, Width: 8, Heads: 2, FeedForward: 6, Vocabulary: 12, TiedOutput: shared})
}

func sentenceBatch(d Data, rows ...int) graph.Batch {
	b := d.NewBatch(len(rows))
	d.Fill(b, rows, batch.Draw{})
	return b
}

// TestEveryOptimizerOnTokens trains a language model, one table as embedding and output
// matrix among others, with meta-steps on integer inputs.
func TestEveryOptimizerOnTokens(t *testing.T) {
	forEach(t, func(t *testing.T, o Optimizer, dt tensor.Dtype) {
		for _, shared := range []bool{false, true} {
			tr, err := New(languageModel(shared), graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), o, Dtype(dt), EveryK(3))
			if err != nil {
				t.Fatal(err)
			}
			before := tr.Params()[0].Value.Clone().(*tensor.Dense)
			var metas int
			for step := range 8 {
				s, err := tr.Step(sentenceBatch(sentences(), step%6, (step+1)%6, (step+3)%6))
				if err != nil {
					t.Fatal(err)
				}
				if s.Meta != nil {
					metas++
				}
			}
			if metas == 0 {
				t.Error("no meta-step")
			}
			if slices.Equal(numbersOf(before), numbersOf(tr.Params()[0].Value)) {
				t.Error("the embedding did not move")
			}
		}
	})
}

func numbersOf(a *tensor.Dense) (all []float64) {
	switch v := a.Data().(type) {
	case []float64:
		return v
	case []float32:
		for _, x := range v {
			all = append(all, float64(x))
		}
	}
	return all
}

// TestTablesAreNoMatrices: rows of an embedding whose token does not occur stay, and
// notes say how tables are treated.
func TestTablesAreNoMatrices(t *testing.T) {
	for name, o := range map[string]Optimizer{
		"sgd": SGD(0.1), "precond": Precond(0.1), "precond-plain": PrecondPlain(0.1), "kfac": KFAC(0.1), "ekfac": EKFAC(0.1), "shampoo": Shampoo(0.1),
	} {
		tr, err := New(languageModel(false), graph.TokenCrossEntropy(graph.TokenSettings{}), o, EveryK(2))
		if err != nil {
			t.Fatal(err)
		}
		table := tr.Params()[0]
		before := table.Value.Clone().(*tensor.Dense)
		for step := range 6 {
			if _, err := tr.Step(sentenceBatch(sentences(), step%6, (step+1)%6)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		a, b := numbersOf(before), numbersOf(table.Value)
		for _, row := range []int{0, 2, 11} { // padding, the last token and one that does not occur
			if !slices.Equal(a[row*8:row*8+8], b[row*8:row*8+8]) {
				t.Errorf("%s: row %d of %s moved", name, row, table.Name)
			}
		}
		if slices.Equal(a[8:16], b[8:16]) {
			t.Errorf("%s: row 1 of %s did not move", name, table.Name)
		}
		noted := slices.ContainsFunc(tr.Notes(), func(n string) bool { return strings.Contains(n, table.Name) })
		if noted == (name == "sgd") {
			t.Errorf("%s: notes %q", name, tr.Notes())
		}
	}
}

// TestEvaluateCountsTokens compares batches of one sentence with one of all.
func TestEvaluateCountsTokens(t *testing.T) {
	tr, err := New(languageModel(true), graph.TokenCrossEntropy(graph.TokenSettings{}), SGD(0.1), Dtype(tensor.Float64))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := tr.Evaluate(sentences(), 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 4} {
		parts, err := tr.Evaluate(sentences(), size)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(parts.Loss-whole.Loss) > 1e-12*whole.Loss || parts.Accuracy != whole.Accuracy {
			t.Errorf("in batches of %d: %+v, at once %+v", size, parts, whole)
		}
	}
	for _, p := range tr.Params() {
		p.Value.Zero()
	}
	zero, err := tr.Evaluate(sentences(), 6)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(zero.Loss-math.Log(12)) > 1e-12 || zero.Accuracy != 0 {
		t.Errorf("equal logits, whose first is the largest: %+v", zero)
	}
}
