package batch

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// Data is a data set in memory. Row i of X and row i of T belong together:
// X is N×d (or N×c×h×w) of floats or N×T tokens of tensor.Int, T is an N-vector of
// tensor.Int class numbers, N×T of tokens, or an N×out matrix of the dtype of X.
type Data struct {
	X, T *tensor.Dense
}

var _ Dataset = Data{}

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
		return graph.ErrShape.Errorf("trainers: data set has %d input rows but targets of shape %v", d.Len(), d.T.Shape())
	case !apoops.IsFloat(d.X.Dtype()) && d.X.Dtype() != tensor.Int:
		return graph.ErrDtype.Errorf("trainers: data set with inputs of dtype %v, not float32, float64 or int", d.X.Dtype())
	case d.X.Dtype() == tensor.Int && d.T.Dtype() != tensor.Int && !apoops.IsFloat(d.T.Dtype()):
		return graph.ErrDtype.Errorf("trainers: data set with targets of dtype %v, not int, float32 or float64", d.T.Dtype())
	case d.X.Dtype() != tensor.Int && d.T.Dtype() != tensor.Int && d.T.Dtype() != d.X.Dtype():
		return graph.ErrDtype.Errorf("trainers: data set with targets of dtype %v, not int or %v", d.T.Dtype(), d.X.Dtype())
	case graph.FirstNaN(d.T) >= 0:
		at := graph.FirstNaN(d.T)
		return graph.ErrNotFinite.Errorf("trainers: the target of row %d of the data set is NaN (element %d)", at*d.Len()/d.T.Shape().TotalSize(), at)
	case !graph.RowMajor(d.X) || !graph.RowMajor(d.T):
		return errors.New("trainers: data set of views or column-major tensors: clone them in row-major order")
	}
	return nil
}

// NewBatch implements Dataset.
func (d Data) NewBatch(n int) graph.Batch {
	return graph.NewBatch(array.LikeRows(d.X, n), array.LikeRows(d.T, n))
}

// Fill implements Dataset.
func (d Data) Fill(b graph.Batch, rows []int, _ Draw) {
	array.CopyRows(b.X[0], d.X, rows)
	array.CopyRows(b.T[0], d.T, rows)
}
