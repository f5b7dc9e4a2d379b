package trainers

import (
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

var _ Set = Data{}

// Len is the number of examples, 0 for an empty set.
func (d Data) Len() int {
	if d.X == nil || d.X.Dims() == 0 {
		return 0
	}
	return d.X.Shape()[0]
}

// Check reports what is wrong with the set: missing or empty tensors,
// different numbers of rows, other dtypes, targets of NaN, tensors that are not
// row-major.
func (d Data) Check() error {
	switch {
	case d.X == nil || d.T == nil:
		return errors.New("trainers: data set without inputs or targets")
	case d.Len() == 0:
		return errors.New("trainers: empty data set")
	case d.T.Dims() == 0 || d.T.Shape()[0] != d.Len():
		return ErrShape.Errorf("trainers: data set has %d input rows but targets of shape %v", d.Len(), d.T.Shape())
	case d.X.Dtype() != tensor.Float32 && d.X.Dtype() != tensor.Float64:
		return ErrDtype.Errorf("trainers: data set with inputs of dtype %v, not float32 or float64", d.X.Dtype())
	case d.T.Dtype() != tensor.Int && d.T.Dtype() != d.X.Dtype():
		return ErrDtype.Errorf("trainers: data set with targets of dtype %v, not int or %v", d.T.Dtype(), d.X.Dtype())
	case graph.FirstNaN(d.T) >= 0:
		at := graph.FirstNaN(d.T)
		return ErrNotFinite.Errorf("trainers: the target of row %d of the data set is NaN (element %d)", at*d.Len()/d.T.Shape().TotalSize(), at)
	case !graph.RowMajor(d.X) || !graph.RowMajor(d.T):
		return errors.New("trainers: data set of views or column-major tensors: clone them in row-major order")
	}
	return nil
}

// NewBatch implements Set.
func (d Data) NewBatch(n int) graph.Batch { return graph.NewBatch(likeRows(d.X, n), likeRows(d.T, n)) }

// Fill implements Set.
func (d Data) Fill(b graph.Batch, rows []int, _ Draw) {
	copyRows(b.X[0], d.X, rows)
	copyRows(b.T[0], d.T, rows)
}

// likeRows is an array for n rows of t.
func likeRows(t *tensor.Dense, n int) *tensor.Dense {
	shape := t.Shape().Clone()
	shape[0] = n
	return tensor.New(tensor.Of(t.Dtype()), tensor.WithShape(shape...))
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
