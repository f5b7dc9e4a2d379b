package apoops

import (
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"sync/atomic"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Float is the set of element types the ops work on.
type Float = blas.Float

// Cloner is implemented by the ops of this package. An op owns its buffers, so one
// instance must not be applied twice: code that rebuilds a graph applies a clone.
//
// An op of another package that implements Cloner, and gorgonia.SDOp if it has a
// gradient, can be used in graphs that are rebuilt, such as those of trainers.Wrap. An
// op without Cloner is refused there.
type Cloner interface {
	gorgonia.Op
	// Clone returns an op of the same kind and settings with buffers of its own.
	// An op that draws random masks (Dropout) passes the number of its stream
	// through stream, unless that is nil.
	Clone(stream func(uint64) uint64) gorgonia.Op
}

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
	number  scalar[T] // the result where it has no axes
	low     *rounding // nil where nothing has 16 bits
}

var (
	_       gorgonia.SDOp = (*op[float32])(nil)
	_       Cloner        = (*op[float64])(nil)
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
	if _, ok := any(k).(integerResult); ok {
		if o.shape.IsScalar() {
			return nil, errors.Errorf("apoops: %s: the result is a single integer, not an array", k.name())
		}
		o.types[len(in)] = gorgonia.TensorType{Dims: o.shape.Dims(), Of: tensor.Int}
	}
	o.id = opCount.Add(1)
	out, err := gorgonia.ApplyOp(o, in...)
	return out, errors.Wrapf(err, "apoops: %s", k.name())
}

// applyFloat applies the kernel of the first operand's dtype.
func applyFloat(k32 kernel[float32], k64 kernel[float64], in ...*gorgonia.Node) (*gorgonia.Node, error) {
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

// anyKernel is for kernelOf, which does not know T.
func (o *op[T]) anyKernel() any { return o.k }

// kernelOf is the kernel of an op of this package, nil for other ops.
func kernelOf(o gorgonia.Op) any {
	if o, ok := o.(interface{ anyKernel() any }); ok {
		return o.anyKernel()
	}
	return nil
}

// Clone implements Cloner.
func (o *op[T]) Clone(stream func(uint64) uint64) gorgonia.Op {
	k := o.k.clone()
	if s, ok := o.k.(streamed[T]); ok && stream != nil {
		k = s.withStream(stream)
	}
	return &op[T]{k: k, id: opCount.Add(1), types: o.types, ints: o.ints, built: o.built, shape: o.shape}
}

// The methods that Gorgonia needs besides Do.

// DiffWRT implements gorgonia.SDOp.
func (o *op[T]) DiffWRT(operands int) []bool {
	w := make([]bool, operands)
	copy(w, o.k.wrt())
	return w
}

// SymDiff implements gorgonia.SDOp.
func (o *op[T]) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	ret, err := o.k.grad(in, out, grad)
	return ret, errors.Wrapf(err, "apoops: gradient of %s", o.k.name())
}

// Arity implements gorgonia.Op.
func (o *op[T]) Arity() int { return len(o.ints) }

// Type implements gorgonia.Op. Gorgonia modifies and reuses the type, so every call
// makes a new one.
func (o *op[T]) Type() hm.Type { return hm.NewFnType(append([]hm.Type(nil), o.types...)...) }

// InferShape implements gorgonia.Op.
func (o *op[T]) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(in)
	if err != nil {
		return nil, err
	}
	s, err := o.k.infer(shapes)
	if err != nil {
		return nil, err
	}
	if s.IsScalar() {
		s = tensor.ScalarShape()
	}
	if o.shape != nil && !s.Eq(o.shape) {
		return nil, errors.Errorf("%s was built for a result of shape %v, not %v", o.k.name(), o.shape, s)
	}
	return s, nil
}

// ReturnsPtr implements gorgonia.Op.
func (o *op[T]) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *op[T]) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *op[T]) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op: no two ops are the same, for each has its
// own buffers.
func (o *op[T]) WriteHash(h hash.Hash) { fmt.Fprintf(h, "apoops.%s#%d", o.k.name(), o.id) }

// Hashcode implements gorgonia.Op.
func (o *op[T]) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String implements gorgonia.Op.
func (o *op[T]) String() string { return "apoops." + o.k.name() }

var _ gorgonia.ADOp = (*op[float32])(nil)

// DoDiff implements gorgonia.ADOp, by which Gorgonia's LispMachine
// differentiates: it skips ops without it, and their operands keep the gradient
// 0. So it is an error for ops that have a gradient.
func (o *op[T]) DoDiff(_ gorgonia.ExecutionContext, in gorgonia.Nodes, _ *gorgonia.Node) error {
	if !slices.Contains(o.DiffWRT(len(in)), true) {
		return nil
	}
	return errors.Errorf("apoops: %s has no gradient on a LispMachine: call gorgonia.Grad and run the graph on a TapeMachine", o.k.name())
}
