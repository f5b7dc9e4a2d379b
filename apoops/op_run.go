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
	if o.low != nil {
		err = o.runRounded()
	} else {
		err = o.k.run(&o.a)
	}
	clear(o.a.in) // so that the op keeps no memory that programs have given up
	if err != nil {
		return nil, errors.Wrapf(err, "apoops: %s", o.k.name())
	}
	if o.shape.IsScalar() {
		o.number.set(o.a.out[0])
		return o.number.value, nil
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
		case gorgonia.Scalar:
			x, ok := Number(v)
			if !ok {
				return errors.Errorf("operand %d is a %T", i, v)
			}
			o.scalars[i], o.a.in[i], o.a.shapes[i] = T(x), o.scalars[i:i+1], nil
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
			case !o.ints[i] && o.low.reads(i, v):
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
			o.a.out, o.number = make([]T, 1), newScalar[T]()
		}
	case o.low.packs():
		o.packedResult()
	case o.dense == nil || !o.dense.Shape().Eq(o.shape):
		if _, ok := any(o.k).(integerResult); ok {
			if o.a.outInts == nil {
				o.a.outInts = make([]int, o.shape.TotalSize())
			}
			o.dense = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(o.a.outInts))
			return
		}
		if o.a.out == nil {
			o.a.out = make([]T, o.shape.TotalSize())
		}
		o.dense = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(o.a.out))
	}
}

// Buffered is implemented by the ops of this package. A Buffered op
//   - writes every element of its result in each run, whatever the buffer held before,
//   - returns no memory of its operands as its result,
//   - reads nothing but its operands and side buffers, not the operands or the results
//     of earlier runs.
//
// So its operands are free once it has run, and its own result may lie in memory that
// other results use at other times.
type Buffered interface {
	Cloner
	// BufferSize is the number of elements that SetBuffer takes. It is 0 for a
	// scalar, for integers, for a result that persists from run to run because
	// its Switch may be off, and for a packed one, which BufferOf has.
	BufferSize() int
}

// Element is the set of types of elements in buffers: Float, and uint16 for the bits of
// packed results.
type Element interface{ float32 | float64 | uint16 }

// BufferSetter is a Buffered op whose elements are of type T.
type BufferSetter[T Element] interface {
	Buffered
	// SetBuffer replaces the buffer of the result by memory of BufferSize elements.
	// While the op runs none of its operands may lie in that memory, and no other
	// op may write to it until the result has been read for the last time. Clones
	// have buffers of their own.
	SetBuffer(memory []T) error
}

var _ BufferSetter[float32] = (*op[float32])(nil)

// BufferSize implements Buffered.
func (o *op[T]) BufferSize() int {
	if o.shape.IsScalar() || o.low.packs() {
		return 0
	}
	switch any(o.k).(type) {
	case integerResult, persistent:
		return 0
	}
	return o.shape.TotalSize()
}

// SetBuffer implements BufferSetter.
func (o *op[T]) SetBuffer(memory []T) error {
	if n := o.BufferSize(); n == 0 || len(memory) != n {
		return errors.Errorf("apoops: %s: a buffer of %d elements for a result of %d", o.k.name(), len(memory), n)
	}
	o.a.out, o.dense = memory[:len(memory):len(memory)], nil
	return nil
}

// BufferOf is the op as one whose result has elements of type T, those of a packed result
// being of uint16. ok is false for other ops.
func BufferOf[T Element](o gorgonia.Op) (b BufferSetter[T], ok bool) {
	if p, packs := o.(interface{ packed() Buffered }); packs {
		if b, ok = p.packed().(BufferSetter[T]); ok {
			return b, true
		}
	}
	b, ok = o.(BufferSetter[T])
	return b, ok
}

// packed is the op with the buffer of a packed result, nil where it has none.
func (o *op[T]) packed() Buffered {
	if !o.low.packs() {
		return nil
	}
	return packedOp[T]{o}
}

// packedOp is an op whose result is packed, for BufferOf.
type packedOp[T Float] struct{ *op[T] }

var _ BufferSetter[uint16] = packedOp[float32]{}

// BufferSize implements Buffered.
func (p packedOp[T]) BufferSize() int { return p.shape.TotalSize() }

// SetBuffer implements BufferSetter.
func (p packedOp[T]) SetBuffer(memory []uint16) error {
	if n := p.BufferSize(); len(memory) != n {
		return errors.Errorf("apoops: %s: a buffer of %d elements for a result of %d", p.k.name(), len(memory), n)
	}
	p.low.bits, p.dense = memory[:len(memory):len(memory)], nil
	return nil
}
