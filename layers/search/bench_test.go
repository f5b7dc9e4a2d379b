package search

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/layers"
)

// BenchmarkThousand searches 1000 sentences of about 14 tokens with width 5 by a small
// net, whose weights are random: all targets have the largest length, 24 tokens on
// average.
func BenchmarkThousand(b *testing.B) {
	if _, err := apoops.UseLibraries(); err != nil {
		b.Fatal(err)
	}
	c := layers.TransformerConfig{Encoder: 3, Decoder: 3, Width: 256, Heads: 4, FeedForward: 512, Vocabulary: 8000, Shared: true}
	m, params := net(b, c, 1, tensor.Float32)
	s, err := New(m, params, Config{Begin: begin, End: end, PerToken: 1, Extra: 10})
	if err != nil {
		b.Fatal(err)
	}
	sources := draw(rand.New(rand.NewPCG(1, 91)), c, 1000, 27)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Search(b.Context(), sources); err != nil {
			b.Fatal(err)
		}
	}
}
