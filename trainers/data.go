package trainers

import (
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// Data is a data set in memory. Row i of X and row i of T belong together:
// X is N×d (or N×c×h×w), T is an N-vector of tensor.Int class numbers or an
// N×out matrix of the dtype of X.
type Data struct {
	X, T *tensor.Dense
}

// Len is the number of examples, 0 for an empty set.
func (d Data) Len() int {
	if d.X == nil || d.X.Dims() == 0 {
		return 0
	}
	return d.X.Shape()[0]
}

// Check reports what is wrong with the set: missing or empty tensors,
// different numbers of rows, other dtypes, tensors that are not row-major.
func (d Data) Check() error {
	switch {
	case d.X == nil || d.T == nil:
		return errors.New("trainers: data set without inputs or targets")
	case d.Len() == 0:
		return errors.New("trainers: empty data set")
	case d.T.Dims() == 0 || d.T.Shape()[0] != d.Len():
		return errors.Errorf("trainers: data set has %d input rows but targets of shape %v", d.Len(), d.T.Shape())
	case d.X.Dtype() != tensor.Float32 && d.X.Dtype() != tensor.Float64:
		return errors.Errorf("trainers: data set with inputs of dtype %v, not float32 or float64", d.X.Dtype())
	case d.T.Dtype() != tensor.Int && d.T.Dtype() != d.X.Dtype():
		return errors.Errorf("trainers: data set with targets of dtype %v, not int or %v", d.T.Dtype(), d.X.Dtype())
	case !graph.RowMajor(d.X) || !graph.RowMajor(d.T):
		return errors.New("trainers: data set of views or column-major tensors: clone them in row-major order")
	}
	return nil
}

// rows is the batch of n rows from row lo on, sharing memory with the set.
func (d Data) rows(lo, n int) graph.Batch {
	return graph.NewBatch(window(d.X, lo, n), window(d.T, lo, n))
}

// window is a tensor over n rows of t from row lo on.
func window(t *tensor.Dense, lo, n int) *tensor.Dense {
	shape := t.Shape().Clone()
	size := shape.TotalSize() / shape[0]
	shape[0] = n
	switch t.Dtype() {
	case tensor.Float32:
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(t.Float32s()[lo*size:(lo+n)*size]))
	case tensor.Float64:
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(t.Float64s()[lo*size:(lo+n)*size]))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(t.Ints()[lo*size:(lo+n)*size]))
}

// Batches serves shuffled mini-batches of a data set. Which rows a step gets is
// a function of the seed and the step's number alone, so a resumed run needs
// nothing but its step. The rows of each epoch are a new permutation; a last
// batch that is not full is left out.
//
// The batches share two sets of buffers: one is valid until the next call of At
// (of TildeAt).
type Batches struct {
	data  Data
	size  int
	seed  uint64
	b, bt graph.Batch
	epoch int
	order []int
}

// NewBatches serves batches of the given size.
func NewBatches(data Data, size int, seed uint64) (*Batches, error) {
	if err := data.Check(); err != nil {
		return nil, err
	}
	if size < 1 || size > data.Len() {
		return nil, errors.Errorf("trainers: batches of %d rows from a set of %d", size, data.Len())
	}
	return &Batches{data: data, size: size, seed: seed, epoch: -1}, nil
}

// PerEpoch is the number of batches in an epoch.
func (s *Batches) PerEpoch() int { return s.data.Len() / s.size }

// At is the mini-batch B of a step, counted from 0; negative steps count as 0.
func (s *Batches) At(step int) graph.Batch {
	step = max(step, 0)
	if epoch := step / s.PerEpoch(); epoch != s.epoch {
		s.epoch = epoch
		s.order = rand.New(rand.NewPCG(s.seed, uint64(epoch))).Perm(s.data.Len())
	}
	lo := step % s.PerEpoch() * s.size
	s.b = s.collect(s.b, s.order[lo:lo+s.size])
	return s.b
}

// TildeAt is an independent mini-batch for the function-space term of a step:
// the source for TildeFrom.
func (s *Batches) TildeAt(step int) ([]*tensor.Dense, error) {
	rng := rand.New(rand.NewPCG(s.seed^0x5eed, uint64(step)))
	rows := make([]int, s.size)
	for i := range rows {
		rows[i] = rng.IntN(s.data.Len())
	}
	s.bt = s.collect(s.bt, rows)
	return s.bt.X, nil
}

// collect copies rows of the set into a batch, which is made where it is empty.
func (s *Batches) collect(b graph.Batch, rows []int) graph.Batch {
	if b.X == nil {
		first := s.data.rows(0, s.size)
		b = graph.NewBatch(first.X[0].Clone().(*tensor.Dense), first.T[0].Clone().(*tensor.Dense))
	}
	copyRows(b.X[0], s.data.X, rows)
	copyRows(b.T[0], s.data.T, rows)
	return b
}

func copyRows(dst, src *tensor.Dense, rows []int) {
	switch src.Dtype() {
	case tensor.Float32:
		pickRows(dst.Float32s(), src.Float32s(), rows)
	case tensor.Float64:
		pickRows(dst.Float64s(), src.Float64s(), rows)
	default:
		pickRows(dst.Ints(), src.Ints(), rows)
	}
}

func pickRows[T any](dst, src []T, rows []int) {
	n := len(dst) / len(rows)
	for i, r := range rows {
		copy(dst[i*n:(i+1)*n], src[r*n:])
	}
}
