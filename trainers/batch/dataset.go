package batch

import "github.com/apo-gorgonia/apo/graph"

// Dataset is what mini-batches are made from: Data, which holds all its rows, or a
// data set that makes its rows on demand, from bytes or with random augmentation.
// Its methods must not change it: several goroutines may call them at once.
type Dataset interface {
	// Len is the number of examples.
	Len() int
	// Check reports what is wrong with the data set.
	Check() error
	// NewBatch makes the arrays of a batch of n rows.
	NewBatch(n int) graph.Batch
	// Fill writes the rows, each in [0, Len), into arrays that NewBatch made for
	// as many. Random augmentation is a function of the row's Draw alone.
	Fill(b graph.Batch, rows []int, d Draw)
}

// Draw identifies the random numbers of a batch. Row i of the batch is number
// First+i of the epoch; random augmentation takes its random numbers from
// (Seed, Epoch, First+i). So a run that is resumed, or whose batches are made
// elsewhere, has the same bits.
type Draw struct {
	Seed         uint64
	Epoch, First int
}
