package layers_test

import (
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// A table of rows for tokens, and a layer that learns which token comes next: 4 behind 3, 5
// behind 4 and 3 behind 5.
func ExampleEmbedding() {
	net := layers.Sequential(layers.Embedding{Vocabulary: 6, Width: 4}, layers.Dense(4, 6, apoops.Identity))
	tr, err := trainers.New(net, graph.TokenCrossEntropy(graph.TokenSettings{Padding: 0}), trainers.Adam(0.1), trainers.EveryK(0))
	if err != nil {
		log.Fatal(err)
	}
	tokens := func(ids ...int) *tensor.Dense { return tensor.New(tensor.WithShape(1, 3), tensor.WithBacking(ids)) }
	text := trainers.Data{X: tokens(3, 4, 5), T: tokens(4, 5, 3)}
	for range 50 {
		if _, err := tr.Step(graph.NewBatch(text.X, text.T)); err != nil {
			log.Fatal(err)
		}
	}
	result, err := tr.Evaluate(text, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("loss below 0.1: %t\n", result.Loss < 0.1)
	// Output: loss below 0.1: true
}

// A Transformer learns two translations from token ids. Package text makes ids of sentences,
// package search translates.
func ExampleTransformer() {
	sentences, err := batch.NewSentences([][]int{{3, 4}, {5}}, [][]int{{6, 7}, {8, 9}}, batch.TokenConfig{Tokens: 6})
	if err != nil {
		log.Fatal(err)
	}
	batches, err := batch.NewTokenBatches(sentences, 1)
	if err != nil {
		log.Fatal(err)
	}
	model := layers.Transformer(layers.TransformerConfig{
		Encoder: 1, Decoder: 1, Width: 8, Heads: 2, FeedForward: 16, Vocabulary: 10, Shared: true, Padding: batch.Padding,
	})
	tr, err := trainers.New(model, graph.TokenCrossEntropy(graph.TokenSettings{Padding: batch.Padding, Smoothing: 0.1}), trainers.Adam(0.01))
	if err != nil {
		log.Fatal(err)
	}
	loss := func() float64 {
		result, err := tr.Evaluate(sentences, 8)
		if err != nil {
			log.Fatal(err)
		}
		return result.Loss
	}
	before := loss()
	for step := range 50 {
		if _, err := tr.Step(batches.At(step)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("the loss falls:", loss() < before/2)
	// Output: the loss falls: true
}
