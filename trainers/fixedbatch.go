package trainers

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// fixedBatch is a user's graph, whose shapes, the size of the mini-batch among them,
// cannot change.
type fixedBatch struct {
	*graph.Standalone
	example graph.Batch    // of the shapes that batches have
	fixed   gorgonia.Nodes // leaves that are no data
}

func newFixedBatch(s *graph.Standalone) *fixedBatch {
	leaves, data := s.Leaves()
	return &fixedBatch{Standalone: s, example: s.Example(), fixed: leaves[data:]}
}

// rows is the size of the mini-batch.
func (f *fixedBatch) rows() int {
	for _, n := range f.Inputs {
		if n.Dims() > 0 {
			return n.Shape()[0]
		}
	}
	return 1
}

// complete checks the inputs and targets of a batch and adds the values of the
// leaves that are no data. A batch that has them stays as it is.
func (f *fixedBatch) complete(b graph.Batch) (graph.Batch, error) {
	if len(b.X) == len(f.example.X) && len(f.fixed) > 0 {
		return b, nil
	}
	var err error
	if b.X, err = f.completeInputs(b.X); err != nil {
		return b, err
	}
	if b.T, err = f.checkArrays("target", f.Targets, b.T, f.example.T); err != nil {
		return b, err
	}
	return b, graph.CheckLeaves("target", f.Targets, b.T)
}

// completeInputs is complete for inputs alone, such as those of B'.
func (f *fixedBatch) completeInputs(x []*tensor.Dense) ([]*tensor.Dense, error) {
	x, err := f.checkArrays("input", f.Inputs, x, f.example.X[:len(f.Inputs)])
	if err != nil {
		return nil, err
	}
	for _, n := range f.fixed {
		v, ok := graph.Array(n.Value())
		if !ok {
			return nil, errors.Errorf("the fixed leaf %q has no value (%T)", n.Name(), n.Value())
		}
		x = append(x, v)
	}
	return x, checkInputs(x, f.Inputs, f.fixed)
}

// checkInputs checks the values of inputs and, behind them, of leaves that are no data.
func checkInputs(x []*tensor.Dense, inputs, fixed gorgonia.Nodes) error {
	if err := graph.CheckLeaves("input", inputs, x[:len(inputs)]); err != nil {
		return err
	}
	return graph.CheckLeaves("fixed leaf", fixed, x[len(inputs):])
}

// checkArrays are the arrays, numbers as those of shape (1), unless one does not fit.
func (f *fixedBatch) checkArrays(kind string, nodes gorgonia.Nodes, arrays, like []*tensor.Dense) ([]*tensor.Dense, error) {
	if len(nodes) != len(arrays) {
		return nil, ErrShape.Errorf("%d %ss for a graph with %d", len(arrays), kind, len(nodes))
	}
	all := slices.Clone(arrays)
	for i, a := range arrays {
		name, want := nodes[i].Name(), like[i]
		if a != nil && a.Dims() == 0 && nodes[i].IsScalar() {
			a, _ = graph.Array(a)
			all[i] = a
		}
		switch {
		case a == nil:
			return nil, errors.Errorf("%s %q is missing", kind, name)
		case a.Dtype() != want.Dtype():
			return nil, ErrDtype.Errorf("%s %q is of dtype %v, not %v%s", kind, name, a.Dtype(), want.Dtype(), oneHotHint(kind, a, want))
		case !slices.Equal(a.Shape(), want.Shape()):
			return nil, ErrShape.Errorf("%s %q has shape %v, not %v: the graph was made for batches of %d", kind, name, a.Shape(), want.Shape(), f.rows())
		}
	}
	return all, nil
}

// oneHotHint says what the graph wants in the place of class numbers.
func oneHotHint(kind string, a, want *tensor.Dense) string {
	if kind != "target" || a.Dtype() != tensor.Int || !apoops.IsFloat(want.Dtype()) || want.Dims() != 2 || want.Shape()[1] < 2 {
		return ""
	}
	return fmt.Sprintf(": for class numbers the graph wants one-hot rows of %d classes", want.Shape()[1])
}

// checkSet reports a set that batches of the graph's size do not cover, and sets
// the size to that.
func (f *fixedBatch) checkSet(rows int, batchSize *int) error {
	if f == nil {
		return nil
	}
	n := f.rows()
	switch {
	case *batchSize < n:
		return ErrShape.Errorf("trainers: evaluating in batches of %d rows: the graph was made for batches of %d", *batchSize, n)
	case rows%n != 0:
		return ErrShape.Errorf("trainers: evaluating %d rows: the graph was made for batches of %d; leave the last %d out, or evaluate them with FromProblem of a graph of their size with the same tensors as parameters", rows, n, rows%n)
	}
	*batchSize = n
	return nil
}

// classes are the class numbers that the targets are, or are one-hot rows of.
func (f *fixedBatch) classes(t *tensor.Dense) (labels []int, ok bool) {
	y := f.Output.Shape()
	switch {
	case y.Dims() != 2 || t.Dims() == 0 || t.Shape()[0] != y[0]:
		return nil, false
	case t.Dtype() == tensor.Int:
		return t.Ints(), t.Dims() == 1
	case !slices.Equal(t.Shape(), y):
		return nil, false
	}
	return oneHot(t)
}

// oneHot are the places of the ones in rows that are 0 otherwise; ok is false where
// t has other rows.
func oneHot(t *tensor.Dense) (places []int, ok bool) {
	if t.Dims() != 2 || t.Shape()[1] < 2 {
		return nil, false
	}
	ones, err := apoops.Choose(t.Dtype(), onesOf[float32], onesOf[float64])
	if err != nil {
		return nil, false
	}
	return ones(t)
}

func onesOf[T apoops.Float](t *tensor.Dense) (places []int, ok bool) {
	cols := t.Shape()[1]
	for x := apoops.Elements[T](t); len(x) > 0; x = x[cols:] {
		at := -1
		for j, v := range x[:cols] {
			switch {
			case v == 1 && at < 0:
				at = j
			case v != 0:
				return nil, false
			}
		}
		if at < 0 {
			return nil, false
		}
		places = append(places, at)
	}
	return places, true
}
