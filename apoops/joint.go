package apoops

import (
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"unsafe"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Joint is Σ_r w_r·x_r over the members r of comm, each of which computes x on examples of
// its own, with the number w as its weight: on all members the same bits. The graphs of all
// members must have the same ops in the same order. It is never rounded to 16 bits (see
// Rounder) and has no gradient.
func Joint(comm collective.Communicator, x, w *gorgonia.Node) (*gorgonia.Node, error) {
	begun, err := BeginJoint(comm, nil, w, x)
	if err != nil {
		return nil, err
	}
	all, err := EndJoint(begun)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// BeginJoint begins Joint of several arrays in one transfer: when the op has run it is
// under way, and what the graph computes next goes on beside it. The sums are there
// behind the nodes of EndJoint; the node itself must not be read by others. While on, which
// may be nil, is off neither does anything: the last sums stay.
func BeginJoint(comm collective.Communicator, on *Switch, w *gorgonia.Node, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	in := append(slices.Clone(x), w)
	if on != nil {
		return applyFloat(&keptBucket[float32]{bucket[float32]{comm: comm, on: on}}, &keptBucket[float64]{bucket[float64]{comm: comm, on: on}}, in...)
	}
	return applyFloat(&bucket[float32]{comm: comm}, &bucket[float64]{comm: comm}, in...)
}

// EndJoint are the sums that BeginJoint begins, in the shapes of its operands. The first
// of them that runs waits for all. Their values are memory of begun's.
func EndJoint(begun *gorgonia.Node) (gorgonia.Nodes, error) {
	k, ok := kernelOf(begun.Op()).(interface {
		parts(*gorgonia.Node) (gorgonia.Nodes, error)
	})
	if !ok {
		return nil, errors.Errorf("apoops: %s begins no sums over all members", begun.Name())
	}
	return k.parts(begun)
}

// JointSize is the number of elements that a node's op sums up over all members, 0 for other
// ops.
func JointSize(n *gorgonia.Node) int {
	if k, ok := kernelOf(n.Op()).(interface{ joins(result tensor.Shape) int }); ok {
		return k.joins(n.Shape())
	}
	return 0
}

// IsJointSum tells the ops of EndJoint from others: their results are memory of their
// operands'.
func IsJointSum(o gorgonia.Op) bool {
	_, ok := o.(interface{ isJointSum() })
	return ok
}

// bucket is the kernel of BeginJoint. Its operands are the arrays and the weight.
type bucket[T Float] struct {
	noGradient[T]
	comm    collective.Communicator
	on      *Switch            // nil for always
	pending collective.Pending // nil where no sum is under way
	x, y    []T
	w       T
	body    func(lo, hi int)
}

func (k *bucket[T]) name() string             { return "beginJoint" }
func (k *bucket[T]) isExact()                 {}
func (k *bucket[T]) joins(s tensor.Shape) int { return s.TotalSize() }
func (k *bucket[T]) clone() kernel[T]         { return &bucket[T]{comm: k.comm} }

func (k *bucket[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	arrays, w := in[:len(in)-1], in[len(in)-1]
	if w.TotalSize() > 1 || len(arrays) == 0 {
		return nil, ErrShape.Errorf("%d arrays with a weight of shape %v", len(arrays), w)
	}
	n := 0
	for _, s := range arrays {
		n += max(1, s.TotalSize())
	}
	return tensor.Shape{n}, nil
}

func (k *bucket[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	if k.body == nil {
		k.body = func(lo, hi int) {
			for i, v := range k.x[lo:hi] {
				k.y[lo+i] = k.w * v
			}
		}
	}
	if err := k.finish(); err != nil { // a run that has failed left it behind
		return err
	}
	arrays, rest := a.in[:len(a.in)-1], a.out
	k.w = a.in[len(arrays)][0]
	for _, x := range arrays {
		k.x, k.y = x, rest
		par.For(len(x), par.Grain, k.body)
		rest = rest[len(x):]
	}
	k.x, k.y = nil, nil
	k.pending = collective.StartSum(k.comm, a.out)
	return nil
}

// finish waits for the sum that is under way.
func (k *bucket[T]) finish() error {
	if k.pending == nil {
		return nil
	}
	err := k.pending.Wait()
	k.pending = nil
	return errors.WithMessage(err, "a sum over all members")
}

// keptBucket is a bucket whose sums stay from run to run.
type keptBucket[T Float] struct{ bucket[T] }

func (k *keptBucket[T]) persists() {}

func (k *keptBucket[T]) clone() kernel[T] { return &keptBucket[T]{bucket[T]{comm: k.comm, on: k.on}} }

func (k *bucket[T]) parts(begun *gorgonia.Node) (all gorgonia.Nodes, err error) {
	at := 0
	arrays := Operands(begun)
	for _, x := range arrays[:len(arrays)-1] {
		p := &jointPart[T]{of: k, id: opCount.Add(1), at: at, shape: x.Shape().Clone(), number: newScalar[T]()}
		n, err := gorgonia.ApplyOp(p, begun)
		if err != nil {
			return nil, errors.Wrap(err, "apoops: endJoint")
		}
		all = append(all, n)
		at += p.size()
	}
	return all, nil
}

// jointPart is the op of a node of EndJoint. It is no kernel's, for its result is memory of
// its operand's.
type jointPart[T Float] struct {
	of     *bucket[T]
	id     uint64
	at     int // its first element in the bucket
	shape  tensor.Shape
	x      []T // of the last run
	dense  *tensor.Dense
	number scalar[T]
}

func (p *jointPart[T]) isJointSum() {}

func (p *jointPart[T]) size() int { return max(1, p.shape.TotalSize()) }

// Do implements gorgonia.Op.
func (p *jointPart[T]) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if err := p.of.finish(); err != nil {
		return nil, errors.WithMessage(err, "apoops: endJoint")
	}
	sums, ok := in[0].(*tensor.Dense)
	if !ok {
		return nil, errors.Errorf("apoops: endJoint: the operand is a %T", in[0])
	}
	x := Elements[T](sums)[p.at:][:p.size():p.size()]
	if p.shape.IsScalar() {
		p.number.set(x[0])
		return p.number.value, nil
	}
	if p.dense == nil || unsafe.SliceData(p.x) != unsafe.SliceData(x) || !p.dense.Shape().Eq(p.shape) {
		p.x, p.dense = x, tensor.New(tensor.WithShape(p.shape...), tensor.WithBacking(x))
	}
	return p.dense, nil
}

// The methods that Gorgonia needs besides Do.

// Arity implements gorgonia.Op.
func (p *jointPart[T]) Arity() int { return 1 }

// Type implements gorgonia.Op.
func (p *jointPart[T]) Type() hm.Type {
	return hm.NewFnType(gorgonia.TensorType{Dims: 1, Of: hm.TypeVariable('a')}, resultType(p.shape))
}

// InferShape implements gorgonia.Op.
func (p *jointPart[T]) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	if p.shape.IsScalar() {
		return tensor.ScalarShape(), nil
	}
	return p.shape.Clone(), nil
}

// ReturnsPtr implements gorgonia.Op.
func (p *jointPart[T]) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (p *jointPart[T]) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (p *jointPart[T]) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op.
func (p *jointPart[T]) WriteHash(h hash.Hash) { fmt.Fprintf(h, "apoops.endJoint#%d", p.id) }

// Hashcode implements gorgonia.Op.
func (p *jointPart[T]) Hashcode() uint32 {
	h := fnv.New32a()
	p.WriteHash(h)
	return h.Sum32()
}

// String implements gorgonia.Op.
func (p *jointPart[T]) String() string { return "apoops.endJoint" }

// JointGradient is x; its gradient is Joint of that of the result, with weight w.
func JointGradient(comm collective.Communicator, x, w *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&jointGradient[float32]{comm: comm}, &jointGradient[float64]{comm: comm}, x, w)
}

type jointGradient[T Float] struct{ comm collective.Communicator }

func (k *jointGradient[T]) name() string     { return "jointGradient" }
func (k *jointGradient[T]) wrt() []bool      { return []bool{true, false} }
func (k *jointGradient[T]) clone() kernel[T] { return &jointGradient[T]{comm: k.comm} }

func (k *jointGradient[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *jointGradient[T]) run(a *args[T]) error {
	copy(a.out, a.in[0])
	return nil
}

func (k *jointGradient[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Joint(k.comm, dout, in[1])
	return gorgonia.Nodes{dx, nil}, err
}
