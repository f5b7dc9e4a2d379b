package batch_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/batch"
)

func ExampleNew() {
	data := batch.Data{
		X: tensor.New(tensor.WithShape(5, 2), tensor.WithBacking([]float32{0, 0, 1, 10, 2, 20, 3, 30, 4, 40})),
		T: tensor.New(tensor.WithShape(5), tensor.WithBacking([]int{0, 1, 2, 3, 4})), // classes
	}
	batches, err := batch.New(data, 2, 7)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batches.PerEpoch(), "batches in an epoch")
	for step := range 2 * batches.PerEpoch() {
		b := batches.At(step)
		fmt.Println(b.X[0].Data(), b.T[0].Data())
	}
	// Output:
	// 2 batches in an epoch
	// [2 20 4 40] [2 4]
	// [3 30 0 0] [3 0]
	// [1 10 4 40] [1 4]
	// [0 0 2 20] [0 2]
}

// Three pairs of sentences, padded to four tokens, make batches of eight places.
func ExampleNewTokenBatches() {
	source := [][]int{{5, 6}, {7}, {8, 9, 10}}
	target := [][]int{{15, 16, 17}, {18}, {19, 20}}
	sentences, err := batch.NewSentences(source, target, batch.TokenConfig{Tokens: 8, Lengths: []int{4}})
	if err != nil {
		fmt.Println(err)
		return
	}
	batches, err := batch.NewTokenBatches(sentences, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sentences.Shapes(), batches.PerEpoch(), "batches in an epoch")
	b := batches.At(0)
	fmt.Println("source", b.X[0].Data())
	fmt.Println("target", b.X[1].Data())
	fmt.Println("next  ", b.T[0].Data())
	// Output:
	// [[2 4]] 2 batches in an epoch
	// source [7 2 0 0 8 9 10 2]
	// target [1 18 0 0 1 19 20 0]
	// next   [18 2 0 0 19 20 2 0]
}
