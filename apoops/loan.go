package apoops

import "github.com/pkg/errors"

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

// keeping is implemented by kernels whose result stays from run to run.
type keeping interface{ keeps() }

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
