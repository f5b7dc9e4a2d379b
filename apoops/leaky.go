package apoops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// LeakyReLU is x where x ≥ 0 and alpha·x below, by element. The derivative at 0 is 1,
// as in Gorgonia's LeakyRelu.
func LeakyReLU(x *gorgonia.Node, alpha float64) (*gorgonia.Node, error) {
	return pick(&leakyReLU[float32]{alpha: float32(alpha)}, &leakyReLU[float64]{alpha: alpha}, x)
}

// leakyReLU is the kernel of LeakyReLU, or with a second operand dy of its gradient.
type leakyReLU[T Float] struct {
	alpha T
	a     *args[T]
	body  func(lo, hi int)
}

func (k *leakyReLU[T]) name() string     { return fmt.Sprintf("leakyReLU(%v)", k.alpha) }
func (k *leakyReLU[T]) wrt() []bool      { return []bool{true} }
func (k *leakyReLU[T]) fresh() kernel[T] { return &leakyReLU[T]{alpha: k.alpha} }

func (k *leakyReLU[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[len(in)-1])
}

func (k *leakyReLU[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.chunk
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

// chunk looks up the slope instead of branching, see wherePositive.
func (k *leakyReLU[T]) chunk(lo, hi int) {
	x, of, y := k.a.in[0][lo:hi], k.a.in[len(k.a.in)-1][lo:hi], k.a.out[lo:hi]
	slope := [2]T{1, k.alpha}
	for i, v := range x {
		below := 0
		if v < 0 {
			below = 1
		}
		y[i] = slope[below&1] * of[i]
	}
}

func (k *leakyReLU[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if len(in) > 1 {
		return nil, errNoSecondDerivative
	}
	dx, err := apply(&leakyReLU[T]{alpha: k.alpha}, in[0], dout)
	return gorgonia.Nodes{dx}, err
}
