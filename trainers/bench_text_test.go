package trainers

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// The paper's Transformer takes seconds a step.
var benchLarge = flag.Bool("large", false, "BenchmarkTextAPOOverhead: the paper's Transformer too, some minutes on two cores")

// BenchmarkTextAPOOverhead measures what APO on the rate costs on text: steps of AdamW on
// batches of sentences with a meta-step every tenth, against the same without. The small
// net has 2+2 blocks of width 128 and batches of 2048 tokens, the large one is that of IWSLT'14 with
// batches of 4096.
func BenchmarkTextAPOOverhead(b *testing.B) {
	name, err := blas.Use()
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("BLAS: %s", name)
	small := layers.TransformerConfig{Encoder: 2, Decoder: 2, Width: 128, Heads: 4, FeedForward: 512, Vocabulary: 6000, Shared: true, Dropout: 0.1}
	large := layers.TransformerConfig{Encoder: 6, Decoder: 6, Width: 512, Heads: 4, FeedForward: 1024, Vocabulary: 10000, Shared: true, Dropout: 0.3}
	for _, c := range []struct {
		name           string
		net            layers.TransformerConfig
		tokens, rounds int
	}{{"small", small, 2048, 5}, {"large", large, 4096, 2}} {
		b.Run(c.name, func(b *testing.B) {
			if c.name == "large" && !*benchLarge {
				b.Skip("the large net needs -large")
			}
			compareRounds(b, c.rounds,
				side{name: "apo", steps: metaEvery, work: textStepsOf(b, c.net, c.tokens, metaEvery)},
				side{name: "base", steps: metaEvery, work: textStepsOf(b, c.net, c.tokens, 0)})
		})
	}
}

// textStepsOf makes a trainer with AdamW and a meta-step every k steps; the function takes
// metaEvery steps on batches of changing shapes, the same in each call.
func textStepsOf(b *testing.B, c layers.TransformerConfig, tokens, k int) func() error {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	source, target := make([][]int, 2000), make([][]int, 2000)
	for i := range source {
		n := min(max(int(math.Exp(2.96+0.67*rng.NormFloat64())), 1), 100) // IWSLT's lengths
		source[i], target[i] = drawTokens(rng, n, c.Vocabulary), drawTokens(rng, n, c.Vocabulary)
	}
	set, err := batch.NewSentences(source, target, batch.TokenConfig{Tokens: tokens})
	if err != nil {
		b.Fatal(err)
	}
	batches, err := batch.NewTokenBatches(set, 1)
	if err != nil {
		b.Fatal(err)
	}
	tr, err := New(layers.Transformer(c), graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), AdamW(5e-4), EveryK(k))
	if err != nil {
		b.Fatal(err)
	}
	return func() error {
		for i := range metaEvery {
			if _, err := tr.Step(batches.At(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func drawTokens(rng *rand.Rand, n, vocabulary int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = 4 + rng.IntN(vocabulary-4)
	}
	return s
}
