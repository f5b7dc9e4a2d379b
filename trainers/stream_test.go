package trainers

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// noisySet is a set with random changes: noise on the inputs.
type noisySet struct{ Data }

func (s noisySet) Fill(b graph.Batch, rows []int, d batch.Draw) {
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
	b, err := NewBatches(noisySet{toyData(t, tensor.Float32)}, 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestResumedStream saves in the midst of a stream; what the goroutine made ahead
// is no part of the state. B' is the default's, the batch before.
func TestResumedStream(t *testing.T) {
	train := func(tr *Trainer, last int) {
		t.Helper()
		stream := noisyBatches(t).Stream(t.Context(), tr.Steps())
		defer stream.Close()
		for tr.Steps() < last {
			b, err := stream.Next()
			if err == nil {
				_, err = tr.Step(b)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	newTrainer := func() *Trainer { return toyTrainer(t, SGDm(0.01), EveryK(2)) }
	whole, first, second := newTrainer(), newTrainer(), newTrainer()
	train(whole, 20)
	train(first, 8)
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := second.Load(path); err != nil {
		t.Fatal(err)
	}
	train(second, 20)
	sameBits(t, "resumed stream", whole.engine, second.engine)
}
