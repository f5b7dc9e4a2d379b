package search_test

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/layers/search"
)

func Example() {
	m := layers.Transformer(layers.TransformerConfig{
		Encoder: 1, Decoder: 1, Width: 8, Heads: 2, FeedForward: 16, Vocabulary: 12, Shared: true,
	})
	params, err := m.Init(1, tensor.Float32)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := search.New(m, params, search.Config{Width: 3, Begin: 1, End: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := s.Search(context.Background(), [][]int{{5, 6, 7}, {8}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(found), "sentences,", len(found[0]), "hypotheses of the first")
	// Output: 2 sentences, 3 hypotheses of the first
}
