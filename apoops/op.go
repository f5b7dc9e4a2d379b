package apoops

import (
	"sync/atomic"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Float is the set of element types the ops work on.
type Float = blas.Float

// Fresher is implemented by the ops of this package. An op owns its buffers, so
// one instance must not stand in two places at once: whoever rebuilds a graph
// applies Fresh(nil) instead of the op itself.
type Fresher interface {
	gorgonia.Op
	// Fresh returns an op of the same kind and settings with buffers of its own.
	// An op that draws random masks (Dropout) passes the number of its stream
	// through stream, unless that is nil.
	Fresh(stream func(uint64) uint64) gorgonia.Op
}

// streamed is implemented by kernels that draw random masks.
type streamed[T Float] interface {
	withStream(f func(uint64) uint64) kernel[T]
}

// kernel is what differs from op to op.
type kernel[T Float] interface {
	// name identifies the kind of op and its settings.
	name() string
	// infer returns the shape of the result (tensor.ScalarShape() for a scalar)
	// or says which operand does not fit.
	infer(in []tensor.Shape) (tensor.Shape, error)
	// run computes the result into a.out.
	run(a *args[T]) error
	// wrt tells which operands have a gradient; those beyond its end have none.
	wrt() []bool
	// grad returns the gradient node of each operand, nil where wrt is false.
	grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error)
	// fresh copies the settings, not the buffers.
	fresh() kernel[T]
}

// args are the operands of one execution as flat row-major slices. A scalar is
// a slice of length one; an operand of integers has its numbers in ints.
type args[T Float] struct {
	in     [][]T
	ints   []int
	shapes []tensor.Shape
	out    []T
	counts []int // the result of a counting kernel
}

// counting is implemented by kernels whose result is an array of tensor.Int.
type counting interface{ counts() }

// op makes a Gorgonia op of a kernel: it checks and unpacks operands and owns
// the result's buffer, which is reused in every run.
type op[T Float] struct {
	k       kernel[T]
	id      uint64
	types   []hm.Type      // of the operands and the result
	ints    []bool         // operands of integers
	built   []tensor.Shape // of the operands when the node was made
	a       args[T]
	scalars []T // backing of scalar operands
	shape   tensor.Shape
	dense   *tensor.Dense
	f32     *gorgonia.F32
	f64     *gorgonia.F64
}

var (
	_       gorgonia.SDOp = (*op[float32])(nil)
	_       Fresher       = (*op[float64])(nil)
	opCount atomic.Uint64
)

// apply builds the node k(in...). All operands must be of T's dtype, except
// vectors of tensor.Int.
func apply[T Float](k kernel[T], in ...*gorgonia.Node) (*gorgonia.Node, error) {
	shapes := make([]tensor.Shape, len(in))
	o := &op[T]{k: k, ints: make([]bool, len(in)), built: shapes}
	o.types = make([]hm.Type, len(in)+1)
	for i, n := range in {
		if n == nil {
			return nil, errors.Errorf("apoops: %s: operand %d is nil", k.name(), i)
		}
		shapes[i] = n.Shape()
		o.ints[i] = n.Dtype() == tensor.Int
		if !o.ints[i] && n.Dtype() != DtypeOf[T]() {
			return nil, errors.Errorf("apoops: %s: operand %d (%s) is of dtype %v, not %v", k.name(), i, n.Name(), n.Dtype(), DtypeOf[T]())
		}
		o.types[i] = operandType(n)
	}
	var err error
	if o.shape, err = k.infer(shapes); err != nil {
		return nil, errors.Wrapf(err, "apoops: %s", k.name())
	}
	if err := checkSize(o.shape); err != nil {
		return nil, errors.Wrapf(err, "apoops: %s", k.name())
	}
	o.types[len(in)] = resultType(o.shape)
	if _, ok := any(k).(counting); ok {
		o.types[len(in)] = gorgonia.TensorType{Dims: o.shape.Dims(), Of: tensor.Int}
	}
	o.id = opCount.Add(1)
	out, err := gorgonia.ApplyOp(o, in...)
	return out, errors.Wrapf(err, "apoops: %s", k.name())
}

// pick applies the kernel of the first operand's dtype.
func pick(k32 kernel[float32], k64 kernel[float64], in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(in) == 0 || in[0] == nil {
		return nil, errors.Errorf("apoops: %s: the first operand is nil", k32.name())
	}
	build, err := Choose(in[0].Dtype(),
		func() (*gorgonia.Node, error) { return apply(k32, in...) },
		func() (*gorgonia.Node, error) { return apply(k64, in...) })
	if err != nil {
		return nil, errors.WithMessagef(err, "apoops: %s", k32.name())
	}
	return build()
}

func operandType(n *gorgonia.Node) hm.Type {
	var elem hm.Type = hm.TypeVariable('a')
	if n.Dtype() == tensor.Int {
		elem = tensor.Int
	}
	if n.IsScalar() {
		return elem
	}
	return gorgonia.TensorType{Dims: n.Dims(), Of: elem}
}

func resultType(s tensor.Shape) hm.Type {
	if s.IsScalar() {
		return hm.TypeVariable('a')
	}
	return gorgonia.TensorType{Dims: s.Dims(), Of: hm.TypeVariable('a')}
}

// Fresh implements Fresher.
func (o *op[T]) Fresh(stream func(uint64) uint64) gorgonia.Op {
	k := o.k.fresh()
	if s, ok := o.k.(streamed[T]); ok && stream != nil {
		k = s.withStream(stream)
	}
	return &op[T]{k: k, id: opCount.Add(1), types: o.types, ints: o.ints, built: o.built, shape: o.shape}
}

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
