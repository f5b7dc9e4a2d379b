package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
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
	a    *args[T]
	body func(lo, hi int)
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

func (k *add[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.chunk
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *add[T]) chunk(lo, hi int) {
	y := k.a.out[lo:hi]
	addTo(y, k.a.in[0][lo:hi], k.a.in[1][lo:hi])
	for _, term := range k.a.in[2:] {
		addTo(y, y, term[lo:hi])
	}
}

// addTo sets y = a + b. Four elements per iteration take half the time of one.
func addTo[T Float](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	i := 0
	for ; i+4 <= len(y); i += 4 {
		p, q, r := a[i:i+4:i+4], b[i:i+4:i+4], y[i:i+4:i+4]
		r[0] = p[0] + q[0]
		r[1] = p[1] + q[1]
		r[2] = p[2] + q[2]
		r[3] = p[3] + q[3]
	}
	for ; i < len(y); i++ {
		y[i] = a[i] + b[i]
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
	a    *args[T]
	body func(lo, hi int)
}

func (k *addActivate[T]) name() string     { return "add." + k.act.String() }
func (k *addActivate[T]) wrt() []bool      { return []bool{true, true} }
func (k *addActivate[T]) clone() kernel[T] { return &addActivate[T]{act: k.act} }

func (k *addActivate[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *addActivate[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.chunk
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *addActivate[T]) chunk(lo, hi int) {
	a, b, y := k.a.in[0][lo:hi], k.a.in[1][lo:hi], k.a.out[lo:hi]
	if k.act == ReLUAct {
		addReLU(y, a, b)
		return
	}
	addTo(y, a, b)
	forward(k.act, y)
}

// addReLU sets y = max(a+b, 0). Four elements per iteration save a third of the time.
func addReLU[T Float](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	i := 0
	for ; i+4 <= len(y); i += 4 {
		p, q, r := a[i:i+4:i+4], b[i:i+4:i+4], y[i:i+4:i+4]
		r[0] = max(p[0]+q[0], 0)
		r[1] = max(p[1]+q[1], 0)
		r[2] = max(p[2]+q[2], 0)
		r[3] = max(p[3]+q[3], 0)
	}
	for ; i < len(y); i++ {
		y[i] = max(a[i]+b[i], 0)
	}
}

// grad gives both operands the same node: their gradients are equal.
func (k *addActivate[T]) grad(_ gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if k.act == Identity {
		return gorgonia.Nodes{dout, dout}, nil
	}
	dz, err := apply(&activationGrad[T]{act: k.act}, out, dout)
	return gorgonia.Nodes{dz, dz}, err
}
