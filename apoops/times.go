package apoops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Times is factor·x by element, for a number that is known when the graph is made.
func Times(x *gorgonia.Node, factor float64) (*gorgonia.Node, error) {
	return pick(&times[float32]{factor: float32(factor)}, &times[float64]{factor: factor}, x)
}

// times is the kernel factor·x, or factor·x·c for a scalar second operand c, which
// counts as a constant.
type times[T Float] struct {
	factor T
	f      T
	a      *args[T]
	body   func(lo, hi int)
}

func (k *times[T]) name() string     { return "times" }
func (k *times[T]) wrt() []bool      { return []bool{true} }
func (k *times[T]) fresh() kernel[T] { return &times[T]{factor: k.factor} }

func (k *times[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *times[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			out, x := k.a.out[lo:hi], k.a.in[0][lo:hi]
			for i, v := range x {
				out[i] = k.f * v
			}
		}
	}
	k.a, k.f = a, k.factor
	if len(a.in) == 2 {
		k.f *= a.in[1][0]
	}
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *times[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&times[T]{factor: k.factor}, append(gorgonia.Nodes{dout}, in[1:]...)...)
	return gorgonia.Nodes{dx, nil}[:len(in)], err
}
