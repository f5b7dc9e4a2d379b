package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// Add is the sum by element of two or more terms of one shape, added from the
// first to the last:
//
//	(a + b) + c + …
func Add(terms ...*gorgonia.Node) (*gorgonia.Node, error) {
	n := len(terms)
	if n < 2 {
		return nil, errors.Errorf("apoops: add: %d terms; a sum has two or more", n)
	}
	return applyFloat(&add[float32]{n: n}, &add[float64]{n: n}, terms...)
}

// add is the kernel of Add for n terms.
type add[T Float] struct {
	n    int
	loop loop[T]
}

func (k *add[T]) name() string     { return fmt.Sprintf("add(%d)", k.n) }
func (k *add[T]) clone() kernel[T] { return &add[T]{n: k.n} }

func (k *add[T]) wrt() []bool {
	all := make([]bool, k.n)
	for i := range all {
		all[i] = true
	}
	return all
}

func (k *add[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	for _, s := range in[1:] {
		if err := sameShape(in[0], s); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

func (k *add[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *add[T]) chunk(a *args[T], lo, hi int) {
	y := a.out[lo:hi]
	simd.Add(y, a.in[0][lo:hi], a.in[1][lo:hi])
	for _, term := range a.in[2:] {
		simd.Add(y, y, term[lo:hi])
	}
}

// grad gives all terms the same node: their gradients are equal.
func (k *add[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ret := make(gorgonia.Nodes, k.n)
	for i := range ret {
		ret[i] = dout
	}
	return ret, nil
}

// AddActivate is act(a+b) by element for a and b of one shape, such as the two
// branches of a residual block.
func AddActivate(a, b *gorgonia.Node, act Activation) (*gorgonia.Node, error) {
	if !act.known() {
		return nil, errors.Errorf("apoops: add: %v", act)
	}
	return applyFloat(&addActivate[float32]{act: act}, &addActivate[float64]{act: act}, a, b)
}

// addActivate is the kernel of AddActivate.
type addActivate[T Float] struct {
	act  Activation
	loop loop[T]
}

func (k *addActivate[T]) name() string     { return "add." + k.act.String() }
func (k *addActivate[T]) wrt() []bool      { return []bool{true, true} }
func (k *addActivate[T]) clone() kernel[T] { return &addActivate[T]{act: k.act} }

func (k *addActivate[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *addActivate[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *addActivate[T]) chunk(a *args[T], lo, hi int) {
	y := a.out[lo:hi]
	simd.Add(y, a.in[0][lo:hi], a.in[1][lo:hi])
	forward(k.act, y)
}

// grad gives both operands the same node: their gradients are equal.
func (k *addActivate[T]) grad(_ gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if k.act == Identity {
		return gorgonia.Nodes{dout, dout}, nil
	}
	dz, err := apply(&activationGrad[T]{act: k.act}, out, dout)
	return gorgonia.Nodes{dz, dz}, err
}
