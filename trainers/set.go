package trainers

import "github.com/apo-gorgonia/apo/graph"

// Set is what mini-batches are made from: Data, whose rows are all there, or a
// set that makes its rows when they are asked for, from bytes or with random
// changes. Its methods must not change it: several goroutines may call them at
// once.
type Set interface {
	// Len is the number of examples.
	Len() int
	// Check reports what is wrong with the set.
	Check() error
	// NewBatch makes the arrays of a batch of n rows.
	NewBatch(n int) graph.Batch
	// Fill writes the rows, each in [0, Len), into arrays that NewBatch made for
	// as many. Random changes are functions of the row's Draw alone.
	Fill(b graph.Batch, rows []int, d Draw)
}

// Draw names the drawing that the rows of a batch belong to. Row i of the batch
// is number First+i of the epoch. A set with random changes takes its random
// numbers from (Seed, Epoch, First+i), so that a run that is resumed, or whose
// batches are made elsewhere, sees the same bits.
type Draw struct {
	Seed         uint64
	Epoch, First int
}
