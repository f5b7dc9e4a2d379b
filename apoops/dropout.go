package apoops

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Dropout sets elements of x to zero with probability rate and divides the
// others by 1-rate, so that the expected value stays. x is of any shape.
//
// The stream tells apart what shall have masks of its own: the layers, and the
// passes (the mini-batch, the mini-batch of the function-space term). The same
// masks and stream give the same mask in two graphs.
//
// A rate of 0 copies x. A rate outside [0, 1) or NaN is an error.
func Dropout(x *gorgonia.Node, rate float64, masks *Random, stream uint64) (*gorgonia.Node, error) {
	if masks == nil {
		return nil, errors.New("apoops: dropout: masks is nil")
	}
	if !(rate >= 0 && rate < 1) {
		return nil, errors.Errorf("apoops: dropout: rate %v is not in [0, 1)", rate)
	}
	s := dropoutSettings{rate: rate, masks: masks, stream: stream}
	return pick(&dropout[float32]{dropoutSettings: s}, &dropout[float64]{dropoutSettings: s}, x)
}

// RandomOf is the source of the masks of an op made by Dropout, nil for all others.
func RandomOf(o gorgonia.Op) *Random {
	switch o := o.(type) {
	case *op[float32]:
		return masksOf(o)
	case *op[float64]:
		return masksOf(o)
	}
	return nil
}

func masksOf[T Float](o *op[T]) *Random {
	if k, ok := o.k.(*dropout[T]); ok {
		return k.masks
	}
	return nil
}

type dropoutSettings struct {
	rate   float64
	masks  *Random
	stream uint64
}

// dropout is the kernel of Dropout and of its gradient, which is the same
// function of the gradient of the result.
type dropout[T Float] struct {
	dropoutSettings
	a         *args[T]
	key       uint64
	threshold uint64
	scale     T
	body      func(lo, hi int)
}

func (k *dropout[T]) name() string     { return fmt.Sprintf("dropout(%v, %d)", k.rate, k.stream) }
func (k *dropout[T]) wrt() []bool      { return []bool{true} }
func (k *dropout[T]) fresh() kernel[T] { return &dropout[T]{dropoutSettings: k.dropoutSettings} }

func (k *dropout[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *dropout[T]) run(a *args[T]) error {
	if k.rate == 0 {
		copy(a.out, a.in[0])
		return nil
	}
	if k.body == nil {
		k.body = func(lo, hi int) {
			dropOut(k.a.out[lo:hi], k.a.in[0][lo:hi], lo, k.key, k.threshold, k.scale)
		}
	}
	k.a, k.key = a, k.masks.key(k.stream)
	k.threshold, k.scale = uint64(math.Ldexp(k.rate, 64)), T(1/(1-k.rate))
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *dropout[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&dropout[T]{dropoutSettings: k.dropoutSettings}, dout)
	return gorgonia.Nodes{dx}, err
}
