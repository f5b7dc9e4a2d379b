package extend

import (
	"fmt"
	"hash"
	"hash/fnv"
	"math"
	"sync/atomic"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Swish is x·σ(x) by element, also called SiLU (Elfwing, Uchibe & Doya 2018;
// Ramachandran, Zoph & Le 2017), for arrays of float32 or float64.
func Swish(x *gorgonia.Node) (*gorgonia.Node, error) {
	if x == nil || x.IsScalar() {
		return nil, errors.New("extend: Swish needs an array")
	}
	op, err := apoops.Choose(x.Dtype(), newSwish[float32], newSwish[float64])
	if err != nil {
		return nil, errors.WithMessage(err, "extend: Swish")
	}
	return gorgonia.ApplyOp(op(swish), x)
}

// function is what an op computes at an element, from the elements of its operands.
type function struct {
	name     string
	operands int
	value    func(x, dy float64) float64
}

var (
	swish = &function{"swish", 1, func(x, _ float64) float64 { return x * sigmoid(x) }}
	// swishGrad is dx = (σ(x) + x·σ(x)·(1-σ(x)))·dy.
	swishGrad = &function{"swishGrad", 2, func(x, dy float64) float64 {
		s := sigmoid(x)
		return (s + x*s*(1-s)) * dy
	}}
)

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// swishOp is Swish or its gradient.
type swishOp[T apoops.Float] struct {
	f   *function
	id  uint64
	out *tensor.Dense // of the last run
}

var (
	_     gorgonia.SDOp = (*swishOp[float32])(nil)
	_     apoops.Cloner = (*swishOp[float64])(nil)
	count atomic.Uint64
)

func newSwish[T apoops.Float](f *function) gorgonia.Op {
	return &swishOp[T]{f: f, id: count.Add(1)}
}

// Clone implements apoops.Cloner: Wrap rebuilds graphs from it. The op owns the
// buffer of its result, so each place in a graph needs an op of its own.
func (o *swishOp[T]) Clone(func(uint64) uint64) gorgonia.Op { return newSwish[T](o.f) }

// Do implements gorgonia.Op. The result is valid until the next call.
func (o *swishOp[T]) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	x, ok := in[0].(*tensor.Dense)
	if !ok {
		return nil, errors.Errorf("extend: %s of a %T", o.f.name, in[0])
	}
	dy := x
	if o.f.operands == 2 {
		if dy, ok = in[1].(*tensor.Dense); !ok || !dy.Shape().Eq(x.Shape()) {
			return nil, errors.Errorf("extend: %s: operands of shapes %v and %v", o.f.name, in[0].Shape(), in[1].Shape())
		}
	}
	if o.out == nil || !o.out.Shape().Eq(x.Shape()) {
		o.out = tensor.New(tensor.Of(apoops.DtypeOf[T]()), tensor.WithShape(x.Shape().Clone()...))
	}
	y, a, b := apoops.Elements[T](o.out), apoops.Elements[T](rowMajor(x)), apoops.Elements[T](rowMajor(dy))
	for i := range y {
		y[i] = T(o.f.value(float64(a[i]), float64(b[i])))
	}
	return o.out, nil
}

// rowMajor is t with its elements in order, t itself where they are.
func rowMajor(t *tensor.Dense) *tensor.Dense {
	if t.RequiresIterator() {
		return t.Materialize().(*tensor.Dense)
	}
	return t
}

// SymDiff implements gorgonia.SDOp.
func (o *swishOp[T]) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := gorgonia.ApplyOp(newSwish[T](swishGrad), in[0], dy)
	return gorgonia.Nodes{dx}, err
}

// DiffWRT implements gorgonia.SDOp: gradients of gradients are not provided.
func (o *swishOp[T]) DiffWRT(n int) []bool {
	wrt := make([]bool, n)
	wrt[0] = o.f == swish
	return wrt
}

// Arity implements gorgonia.Op.
func (o *swishOp[T]) Arity() int { return o.f.operands }

// Type implements gorgonia.Op: all operands have the type of the result.
func (o *swishOp[T]) Type() hm.Type {
	types := make([]hm.Type, o.f.operands+1)
	for i := range types {
		types[i] = hm.TypeVariable('a')
	}
	return hm.NewFnType(types...)
}

// InferShape implements gorgonia.Op.
func (o *swishOp[T]) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(in)
	if err != nil {
		return nil, err
	}
	return shapes[0].Clone(), nil
}

// ReturnsPtr implements gorgonia.Op.
func (o *swishOp[T]) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (o *swishOp[T]) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *swishOp[T]) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op: no two ops are the same, for each has a buffer.
func (o *swishOp[T]) WriteHash(h hash.Hash) { fmt.Fprintf(h, "extend.%s#%d", o.f.name, o.id) }

// Hashcode implements gorgonia.Op.
func (o *swishOp[T]) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String implements gorgonia.Op.
func (o *swishOp[T]) String() string { return "extend." + o.f.name }
