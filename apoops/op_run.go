package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Do implements gorgonia.Op. The result is valid until the next call.
func (o *op[T]) Do(in ...gorgonia.Value) (v gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("apoops: %s: %v", o.k.name(), r)
		}
	}()
	if err := o.unpack(in); err != nil {
		return nil, errors.Wrapf(err, "apoops: %s", o.k.name())
	}
	o.result()
	if err := o.k.run(&o.a); err != nil {
		return nil, errors.Wrapf(err, "apoops: %s", o.k.name())
	}
	switch {
	case o.f32 != nil:
		*o.f32 = gorgonia.F32(o.a.out[0])
		return o.f32, nil
	case o.f64 != nil:
		*o.f64 = gorgonia.F64(o.a.out[0])
		return o.f64, nil
	}
	return o.dense, nil
}

// unpack fills o.a with the operands.
func (o *op[T]) unpack(in []gorgonia.Value) error {
	if len(in) != len(o.ints) {
		return errors.Errorf("%d operands, not %d", len(in), len(o.ints))
	}
	if o.a.in == nil {
		o.a.in, o.a.shapes = make([][]T, len(in)), make([]tensor.Shape, len(in))
		o.scalars = make([]T, len(in))
	}
	for i, v := range in {
		switch v := v.(type) {
		case *gorgonia.F32:
			o.scalars[i], o.a.in[i] = T(*v), o.scalars[i:i+1]
			o.a.shapes[i] = nil
		case *gorgonia.F64:
			o.scalars[i], o.a.in[i] = T(*v), o.scalars[i:i+1]
			o.a.shapes[i] = nil
		case *tensor.Dense:
			if v.RequiresIterator() {
				v = v.Materialize().(*tensor.Dense)
			}
			if v.DataOrder().IsColMajor() {
				return errors.Errorf("operand %d is column-major", i)
			}
			if !v.Shape().Eq(o.built[i]) {
				return ErrShape.Errorf("operand %d has shape %v; the node was built for %v", i, v.Shape(), o.built[i])
			}
			o.a.shapes[i] = o.built[i] // a vector may stand for a row or a column
			switch {
			case o.ints[i] && v.Dtype() == tensor.Int:
				o.a.ints = v.Ints()
			case !o.ints[i] && v.Dtype() == DtypeOf[T]():
				o.a.in[i] = Elements[T](v)
			default:
				return ErrDtype.Errorf("operand %d is of dtype %v", i, v.Dtype())
			}
		default:
			return errors.Errorf("operand %d is a %T", i, v)
		}
	}
	return nil
}

// result makes the buffer of the result, or gives its header back the shape
// that a consumer may have changed.
func (o *op[T]) result() {
	switch {
	case o.shape.IsScalar():
		if o.a.out == nil {
			o.a.out = make([]T, 1)
			if DtypeOf[T]() == tensor.Float32 {
				o.f32 = gorgonia.NewF32(0)
			} else {
				o.f64 = gorgonia.NewF64(0)
			}
		}
	case o.dense == nil || !o.dense.Shape().Eq(o.shape):
		if _, ok := any(o.k).(counting); ok {
			if o.a.counts == nil {
				o.a.counts = make([]int, o.shape.TotalSize())
			}
			o.dense = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(o.a.counts))
			return
		}
		if o.a.out == nil {
			o.a.out = make([]T, o.shape.TotalSize())
		}
		o.dense = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(o.a.out))
	}
}

// Borrower is implemented by the ops of this package whose elements are of type T.
// Such an op owns the buffer of its result for as long as it lives; lent memory in
// its place may hold other results at other times of a run. Who lends it knows the
// order of the run: while the op runs, none of its operands may lie in that memory,
// and until the last reader of the result has run, no other result.
//
// The ops of this package allow that: they write every element of their result,
// whatever was there, and read nothing but their operands and side buffers of their
// own, never the operands or the result of an earlier run or of another op.
type Borrower[T Float] interface {
	Fresher
	// Borrows is the number of elements that can be lent for the result. It is 0
	// for a scalar, for integers and for a result that stays from run to run
	// because a Switch may be off.
	Borrows() int
	// Borrow lends memory of Borrows elements, from now on. Ops made with Fresh
	// do not share the loan.
	Borrow(memory []T) error
}

var _ Borrower[float32] = (*op[float32])(nil)

// Borrows implements Borrower.
func (o *op[T]) Borrows() int {
	if o.shape.IsScalar() {
		return 0
	}
	switch any(o.k).(type) {
	case counting, keeping:
		return 0
	}
	return o.shape.TotalSize()
}

// Borrow implements Borrower.
func (o *op[T]) Borrow(memory []T) error {
	if n := o.Borrows(); n == 0 || len(memory) != n {
		return errors.Errorf("apoops: %s: %d elements lent for a result that takes %d", o.k.name(), len(memory), n)
	}
	o.a.out, o.dense = memory[:len(memory):len(memory)], nil
	return nil
}
