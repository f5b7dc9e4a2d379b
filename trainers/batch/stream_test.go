package batch

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// noisySet is a set with random changes: noise on the inputs.
type noisySet struct{ Data }

func (s noisySet) Fill(b graph.Batch, rows []int, d Draw) {
	s.Data.Fill(b, rows, d)
	x := b.X[0].Float32s()
	for i := range rows {
		rng := rand.New(rand.NewPCG(d.Seed+uint64(d.Epoch)<<20, uint64(d.First+i)))
		for j := range len(x) / len(rows) {
			x[i*len(x)/len(rows)+j] += rng.Float32()
		}
	}
}

func noisyBatches(t *testing.T) *Batches {
	t.Helper()
	b, err := New(noisySet{smallData()}, 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// smallData has 60 rows of 4 inputs.
func smallData() Data {
	rng := rand.New(rand.NewPCG(21, 1))
	x, labels := make([]float32, 60*4), make([]int, 60)
	for i := range x {
		x[i] = rng.Float32()
	}
	for i := range labels {
		labels[i] = rng.IntN(3)
	}
	return Data{X: tensor.New(tensor.WithShape(60, 4), tensor.WithBacking(x)), T: tensor.New(tensor.WithShape(60), tensor.WithBacking(labels))}
}

func sameBatch(t *testing.T, step int, got, want graph.Batch) {
	t.Helper()
	if !slices.Equal(got.X[0].Float32s(), want.X[0].Float32s()) || !slices.Equal(got.T[0].Ints(), want.T[0].Ints()) {
		t.Fatalf("step %d: the stream's batch is not that of At", step)
	}
}

// TestStreamServesBatchesOfAt also holds each batch while others are made.
func TestStreamServesBatchesOfAt(t *testing.T) {
	for _, first := range []int{-1, 0, 3, 12} {
		batches := noisyBatches(t)
		stream := batches.Stream(t.Context(), first)
		defer stream.Close()
		for step := max(first, 0); step < 27; step++ {
			b, err := stream.Next()
			if err != nil {
				t.Fatal(err)
			}
			for len(stream.ready) < prepared { // until nothing more can be made
				runtime.Gosched()
			}
			sameBatch(t, step, b, batches.At(step))
		}
	}
}

// TestEpochsDiffer: the same rows, in another order and with other changes.
func TestEpochsDiffer(t *testing.T) {
	batches := noisyBatches(t)
	seen := make(map[float32]bool)
	for step := range 3 * batches.PerEpoch() {
		for _, x := range batches.At(step).X[0].Float32s() {
			seen[x] = true
		}
	}
	if want := 3 * 60 * 4 * 9 / 10; len(seen) < want {
		t.Errorf("%d different numbers in three epochs, want at least %d", len(seen), want)
	}
	a, err := batches.TildeAt(7)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(a[0].Float32s())
	for _, step := range []int{8, 7} {
		if a, err = batches.TildeAt(step); err != nil {
			t.Fatal(err)
		}
		if same := slices.Equal(before, a[0].Float32s()); same != (step == 7) {
			t.Errorf("B' of step %d and of step 7 are equal: %v", step, same)
		}
	}
}

func TestStreamEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stream := noisyBatches(t).Stream(ctx, 0)
	if _, err := stream.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 2 {
		if _, err := stream.Next(); !errors.Is(err, context.Canceled) {
			t.Fatalf("after the end of the context: %v", err)
		}
	}
	stream.Close()
	stream.Close()
	stream = noisyBatches(t).Stream(t.Context(), 0)
	stream.Close() // at once
	if _, err := stream.Next(); !errors.Is(err, context.Canceled) {
		t.Fatalf("after Close: %v", err)
	}
}
