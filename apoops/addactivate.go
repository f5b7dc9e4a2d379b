package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// AddActivate is act(a+b) by element for a and b of one shape, such as the two
// branches of a residual block.
func AddActivate(a, b *gorgonia.Node, act Activation) (*gorgonia.Node, error) {
	if act < Identity || act > TanhAct {
		return nil, errors.Errorf("apoops: add: %v", act)
	}
	return pick(&addActivate[float32]{act: act}, &addActivate[float64]{act: act}, a, b)
}

// addActivate is the kernel of AddActivate.
type addActivate[T Float] struct {
	act  Activation
	a    *args[T]
	body func(lo, hi int)
}

func (k *addActivate[T]) name() string     { return "add." + k.act.String() }
func (k *addActivate[T]) wrt() []bool      { return []bool{true, true} }
func (k *addActivate[T]) fresh() kernel[T] { return &addActivate[T]{act: k.act} }

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
	y := k.a.out[lo:hi]
	a, b := k.a.in[0][lo:hi][:len(y)], k.a.in[1][lo:hi][:len(y)]
	if k.act == ReLUAct {
		for i, v := range a {
			y[i] = max(v+b[i], 0)
		}
		return
	}
	for i, v := range a {
		y[i] = v + b[i]
	}
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
