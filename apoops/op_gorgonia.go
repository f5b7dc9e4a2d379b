package apoops

import (
	"fmt"
	"hash"
	"hash/fnv"
	"slices"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

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
