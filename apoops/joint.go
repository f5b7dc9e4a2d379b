package apoops

import (
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
	return applyFloat(&joint[float32]{comm: comm}, &joint[float64]{comm: comm}, x, w)
}

// JointRows has the rows of all members, first to last: total rows, of which those of x
// begin at the given one, multiplied by the number w. It has no gradient.
func JointRows(comm collective.Communicator, x, w *gorgonia.Node, first, total int) (*gorgonia.Node, error) {
	return applyFloat(&joint[float32]{comm: comm, first: first, total: total}, &joint[float64]{comm: comm, first: first, total: total}, x, w)
}

// IsJoint tells the ops of Joint and JointRows from others.
func IsJoint(o gorgonia.Op) bool {
	_, ok := kernelOf(o).(interface{ joins() })
	return ok
}

// joint is the kernel of Joint and, with a total, of JointRows.
type joint[T Float] struct {
	noGradient[T]
	comm         collective.Communicator
	first, total int
	x, y         []T
	w            T
	body         func(lo, hi int)
}

func (k *joint[T]) name() string { return "joint" }
func (k *joint[T]) isExact()     {}
func (k *joint[T]) joins()       {}

func (k *joint[T]) clone() kernel[T] {
	return &joint[T]{comm: k.comm, first: k.first, total: k.total}
}

func (k *joint[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[1].TotalSize() != 1 {
		return nil, ErrShape.Errorf("the weight has shape %v", in[1])
	}
	shape := in[0].Clone()
	if k.total > 0 {
		if shape.Dims() == 0 || k.first < 0 || k.first+shape[0] > k.total {
			return nil, ErrShape.Errorf("rows of shape %v from %d on among %d", in[0], k.first, k.total)
		}
		shape[0] = k.total
	}
	return shape, nil
}

func (k *joint[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			for i, v := range k.x[lo:hi] {
				k.y[lo+i] = k.w * v
			}
		}
	}
	k.x, k.y, k.w = a.in[0], a.out, a.in[1][0]
	if k.total > 0 {
		clear(a.out)
		from := k.first * (len(a.out) / k.total)
		k.y = a.out[from:][:len(k.x)]
	}
	par.For(len(k.x), par.Grain, k.body)
	return errors.WithMessage(collective.Sum(k.comm, a.out), "a sum over all members")
}

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
	dx, err := apply(&joint[T]{comm: k.comm}, dout, in[1])
	return gorgonia.Nodes{dx, nil}, err
}
