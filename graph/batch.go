package graph

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Batch is a mini-batch: the inputs x and the targets t of a model, each a list
// because a model may have several. The first axis of each counts examples.
type Batch struct {
	X, T []*tensor.Dense
}

// NewBatch is the batch of one input and one target array.
func NewBatch(x, t *tensor.Dense) Batch {
	return Batch{X: []*tensor.Dense{x}, T: []*tensor.Dense{t}}
}

// Len is the number of examples, 0 for an empty batch.
func (b Batch) Len() int {
	if len(b.X) == 0 || b.X[0] == nil || b.X[0].Dims() == 0 {
		return 0
	}
	return b.X[0].Shape()[0]
}

// First are the first n examples, in the memory of b, whose arrays must be row-major.
func (b Batch) First(n int) (Batch, error) { return b.Part(0, n) }

// Part are n examples from the given one on, counted from 0, in the memory of b, whose
// arrays must be row-major.
func (b Batch) Part(from, n int) (Batch, error) {
	if from < 0 || n < 1 || from > b.Len()-n {
		return Batch{}, errors.Errorf("graph: %d examples from %d on of a batch of %d", n, from, b.Len())
	}
	x, err := partRows("input", b.X, from, n)
	if err != nil {
		return Batch{}, err
	}
	t, err := partRows("target", b.T, from, n)
	return Batch{X: x, T: t}, err
}

func partRows(kind string, arrays []*tensor.Dense, from, n int) ([]*tensor.Dense, error) {
	part := make([]*tensor.Dense, len(arrays))
	for i, a := range arrays {
		switch {
		case a == nil || a.Dims() == 0 || a.Shape()[0] < from+n:
			return nil, ErrShape.Errorf("graph: %s %d of the batch has fewer than %d examples", kind, i, from+n)
		case !RowMajor(a):
			return nil, errors.Errorf("graph: %s %d is a view or column-major: clone it in row-major order", kind, i)
		}
		shape := a.Shape().Clone()
		shape[0] = n
		part[i] = aliasFrom(a, from*(a.DataSize()/a.Shape()[0]), shape)
	}
	return part, nil
}

// Check reports an empty batch, a missing array, arrays of different numbers of examples
// and NaN in the inputs or targets. Infinities pass: they mask.
func (b Batch) Check() error {
	if len(b.X) == 0 || len(b.T) == 0 {
		return errors.Errorf("graph: batch with %d inputs and %d targets", len(b.X), len(b.T))
	}
	if err := b.CheckValues(); err != nil {
		return err
	}
	if err := b.checkExamples("input", b.X); err != nil {
		return err
	}
	return b.checkExamples("target", b.T)
}

func (b Batch) checkExamples(kind string, arrays []*tensor.Dense) error {
	for i, a := range arrays {
		if n := a.Shape()[0]; n != b.Len() {
			return ErrShape.Errorf("graph: %s %d of the batch has %d examples, the first input %d: %v", kind, i, n, b.Len(), b)
		}
	}
	return nil
}

// CheckValues is Check without asking for inputs or targets to be there, and without
// counting examples.
func (b Batch) CheckValues() error {
	if err := checkArrays("input", nil, b.X); err != nil {
		return err
	}
	return checkArrays("target", nil, b.T)
}

// CheckLeaves is Batch.CheckValues for the arrays of a user's leaves, of inputs, targets or
// fixed ones as kind says: its errors name the leaf.
func CheckLeaves(kind string, leaves gorgonia.Nodes, arrays []*tensor.Dense) error {
	if len(leaves) != len(arrays) {
		return ErrShape.Errorf("graph: %d arrays for %d leaves (%s)", len(arrays), len(leaves), kind)
	}
	return checkArrays(kind, leaves, arrays)
}

// checkArrays checks those of a batch, or of leaves where there are such.
func checkArrays(kind string, leaves gorgonia.Nodes, arrays []*tensor.Dense) error {
	for i, a := range arrays {
		name := func() string {
			if leaves != nil {
				return fmt.Sprintf("%s %q", kind, leaves[i].Name())
			}
			return fmt.Sprintf("%s %d of the batch", kind, i)
		}
		if a == nil {
			return errors.Errorf("graph: %s is missing", name())
		}
		if a.Dims() == 0 || a.Shape()[0] == 0 || a.Shape().TotalSize() == 0 {
			return ErrShape.Errorf("graph: empty batch: %s has shape %v", name(), a.Shape())
		}
		if at := FirstNaN(a); at >= 0 {
			return ErrNotFinite.Errorf("graph: %s holds NaN at row %d (element %d)", name(), at/(a.Shape().TotalSize()/a.Shape()[0]), at)
		}
	}
	return nil
}

// FirstNaN is the place of the first NaN among the elements, or -1.
func FirstNaN(a *tensor.Dense) int {
	first, err := apoops.Choose(a.Dtype(), firstNaN[float32], firstNaN[float64])
	if err != nil {
		return -1 // integers
	}
	return first(a)
}

func firstNaN[T apoops.Float](a *tensor.Dense) int {
	x := apoops.Elements[T](a)
	if apoops.AllFinite(x) { // the usual case, in a fraction of the time
		return -1
	}
	return slices.IndexFunc(x, func(v T) bool { return v != v })
}
