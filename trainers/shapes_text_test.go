package trainers

import (
	"math"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// TestSentencesThroughTheTrainer trains a small Transformer on batches of sentences of
// different lengths and evaluates it on all of them: the same in batches of any size, and
// better than before.
func TestSentencesThroughTheTrainer(t *testing.T) {
	var source, target [][]int
	for i := range 60 {
		var s, y []int
		for j := range 2 + i%9 {
			s, y = append(s, 4+(i+j)%7), append(y, 4+(i+2*j)%7)
		}
		source, target = append(source, s), append(target, y)
	}
	set, err := batch.NewSentences(source, target, batch.TokenConfig{Tokens: 64, Buckets: 3})
	if err != nil {
		t.Fatal(err)
	}
	batches, err := batch.NewTokenBatches(set, 1)
	if err != nil {
		t.Fatal(err)
	}
	model := layers.Transformer(layers.TransformerConfig{Encoder: 1, Decoder: 1, Width: 8, Heads: 2, FeedForward: 16, Vocabulary: 12, Shared: true})
	tr, err := New(model, graph.TokenCrossEntropy(graph.TokenSettings{}), Adam(0.003), EveryK(2))
	if err != nil {
		t.Fatal(err)
	}
	loss := func(rows int) float64 {
		e, err := tr.Evaluate(set, rows)
		if err != nil {
			t.Fatal(err)
		}
		return e.Loss
	}
	before := loss(60)
	for step := range 2 * batches.PerEpoch() {
		if _, err := tr.Step(batches.At(step)); err != nil {
			t.Fatal(err)
		}
	}
	after := loss(60)
	if !(after < before) || math.Abs(loss(2)-after) > 1e-5 {
		t.Errorf("loss %v before, %v after, %v in pairs", before, after, loss(2))
	}
	if n := tr.engine.bases.Len(); n != len(set.Shapes()) {
		t.Errorf("%d graphs for %d shapes", n, len(set.Shapes()))
	}
}
