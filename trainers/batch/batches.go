package batch

import (
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// Batches serves shuffled mini-batches of a data set. The rows of a step and their
// random augmentation are functions of the seed and of the step's number alone, so a
// resumed run needs nothing but its step. The rows of each epoch are a new
// permutation; a last batch that is not full is left out.
//
// The batches share two sets of buffers: one is valid until the next call of At
// (of TildeAt). So each goroutine needs Batches of its own. Stream prepares the same batches in
// the background.
type Batches struct {
	sampler
	b, bt graph.Batch
	rows  []int
}

// errNoBatches is the error of Batches that New did not make.
var errNoBatches = errors.New("trainers: there is no data set: make the batches with NewBatches")

// New serves batches of the given size.
func New(data Dataset, size int, seed uint64) (*Batches, error) {
	if graph.IsNil(data) {
		return nil, errors.New("trainers: no data set")
	}
	if err := data.Check(); err != nil {
		return nil, err
	}
	if size < 1 || size > data.Len() {
		return nil, errors.Errorf("trainers: batches of %d rows from a set of %d", size, data.Len())
	}
	return &Batches{sampler: sampler{data: data, size: size, seed: seed, epoch: -1}}, nil
}

// PerEpoch is the number of batches in an epoch.
func (s *Batches) PerEpoch() int {
	if s.data == nil {
		return 0
	}
	return s.perEpoch()
}

// At is the mini-batch B of a step, counted from 0; negative steps count as 0.
func (s *Batches) At(step int) graph.Batch {
	if s.data == nil {
		return graph.Batch{}
	}
	if s.b.X == nil {
		s.b = s.data.NewBatch(s.size)
	}
	s.fill(s.b, step)
	return s.b
}

// BatchAt is At as the source for CalibrateFrom and FindRate.
func (s *Batches) BatchAt(step int) (graph.Batch, error) {
	if s.data == nil {
		return graph.Batch{}, errNoBatches
	}
	return s.At(step), nil
}

// TildeAt is an independent mini-batch for the function-space term of a step:
// the source for TildeFrom, with random augmentation of its own.
func (s *Batches) TildeAt(step int) ([]*tensor.Dense, error) {
	if s.data == nil {
		return nil, errNoBatches
	}
	if s.bt.X == nil {
		s.bt, s.rows = s.data.NewBatch(s.size), make([]int, s.size)
	}
	seed := s.seed ^ 0x5eed
	rng := rand.New(rand.NewPCG(seed, uint64(step)))
	for i := range s.rows {
		s.rows[i] = rng.IntN(s.data.Len())
	}
	s.data.Fill(s.bt, s.rows, Draw{Seed: seed, Epoch: step})
	return s.bt.X, nil
}

// sampler chooses the rows of mini-batches.
type sampler struct {
	data  Dataset
	size  int
	seed  uint64
	epoch int
	order []int
}

func (s *sampler) perEpoch() int { return s.data.Len() / s.size }

// fill makes the mini-batch of a step in b.
func (s *sampler) fill(b graph.Batch, step int) {
	step = max(step, 0)
	if epoch := step / s.perEpoch(); epoch != s.epoch {
		s.epoch = epoch
		s.order = rand.New(rand.NewPCG(s.seed, uint64(epoch))).Perm(s.data.Len())
	}
	first := step % s.perEpoch() * s.size
	s.data.Fill(b, s.order[first:first+s.size], Draw{Seed: s.seed, Epoch: s.epoch, First: first})
}
