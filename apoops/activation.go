package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// Activation is an element-wise function whose derivative is known from its
// value, so that it can be fused with the op before it.
type Activation int

// The activations. The derivative of ReLUAct at 0 is 0, that of RectifyAct is 1: its
// value is +0 at 0 and -0 below, so that the derivative is known from the value.
const (
	Identity   = Activation(vmath.Identity) // z
	ReLUAct    = Activation(vmath.ReLU)     // max(z, 0)
	SigmoidAct = Activation(vmath.Sigmoid)  // 1/(1+e⁻ᶻ)
	TanhAct    = Activation(vmath.Tanh)     // tanh z
	RectifyAct = Activation(vmath.Rectify)  // max(z, 0), as Gorgonia's Rectify
)

var activationNames = [...]string{"identity", "relu", "sigmoid", "tanh", "rectify"}

// known reports whether a is one of the activations.
func (a Activation) known() bool { return a >= 0 && int(a) < len(activationNames) }

// String is the activation's name in lower case.
func (a Activation) String() string {
	if !a.known() {
		return "unknown activation"
	}
	return activationNames[a]
}

// ParseActivation is the inverse of Activation.String.
func ParseActivation(name string) (Activation, error) {
	for i, n := range activationNames {
		if n == name {
			return Activation(i), nil
		}
	}
	return 0, errors.Errorf("apoops: unknown activation %q: one of %v", name, activationNames)
}

// ReLU is max(x, 0) by element. A NaN stays NaN.
func ReLU(x *gorgonia.Node) (*gorgonia.Node, error) { return activate(ReLUAct, x) }

// Sigmoid is the logistic function 1/(1+e⁻ˣ) by element.
func Sigmoid(x *gorgonia.Node) (*gorgonia.Node, error) { return activate(SigmoidAct, x) }

// Tanh is the hyperbolic tangent by element.
func Tanh(x *gorgonia.Node) (*gorgonia.Node, error) { return activate(TanhAct, x) }

// Activate applies a to x by element; Identity returns x itself.
func Activate(a Activation, x *gorgonia.Node) (*gorgonia.Node, error) {
	if a == Identity {
		return x, nil
	}
	return activate(a, x)
}

func activate(a Activation, x *gorgonia.Node) (*gorgonia.Node, error) {
	if !a.known() {
		return nil, errors.Errorf("apoops: there is no activation %d", int(a))
	}
	return applyFloat(&activation[float32]{act: a}, &activation[float64]{act: a}, x)
}

// activation is the kernel y = act(x).
type activation[T Float] struct {
	act  Activation
	loop loop[T]
}

func (k *activation[T]) name() string     { return k.act.String() }
func (k *activation[T]) wrt() []bool      { return []bool{true} }
func (k *activation[T]) clone() kernel[T] { return &activation[T]{act: k.act} }

func (k *activation[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *activation[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *activation[T]) chunk(a *args[T], lo, hi int) {
	y := a.out[lo:hi]
	copy(y, a.in[0][lo:hi])
	forward(k.act, y)
}

func (k *activation[T]) grad(_ gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&activationGrad[T]{act: k.act}, out, dout)
	return gorgonia.Nodes{dx}, err
}

// activationGrad is the kernel dx = act'(x)·dy, where act' is known from y.
type activationGrad[T Float] struct {
	noGradient[T]
	act  Activation
	loop loop[T]
}

func (k *activationGrad[T]) name() string     { return k.act.String() + "Grad" }
func (k *activationGrad[T]) clone() kernel[T] { return &activationGrad[T]{act: k.act} }

func (k *activationGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *activationGrad[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *activationGrad[T]) chunk(a *args[T], lo, hi int) {
	backward(k.act, a.out[lo:hi], a.in[0][lo:hi], a.in[1][lo:hi])
}

// activationGradient is the node act'(z)·dy.
func activationGradient(act Activation, y, dy *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&activationGrad[float32]{act: act}, &activationGrad[float64]{act: act}, y, dy)
}

// forward replaces each z by act(z).
func forward[T Float](act Activation, z []T) { vmath.Forward(vmath.Activation(act), z) }

// backward sets dz = act'(z)·dy with act' taken from y = act(z).
func backward[T Float](act Activation, dz, y, dy []T) {
	vmath.Backward(vmath.Activation(act), dz, y, dy)
}

// LeakyReLU is x where x ≥ 0 and alpha·x below, by element. The derivative at 0 is 1,
// as in Gorgonia's LeakyRelu.
func LeakyReLU(x *gorgonia.Node, alpha float64) (*gorgonia.Node, error) {
	return applyFloat(&leakyReLU[float32]{alpha: float32(alpha)}, &leakyReLU[float64]{alpha: alpha}, x)
}

// leakyReLU is the kernel of LeakyReLU, or with a second operand dy of its gradient.
type leakyReLU[T Float] struct {
	alpha T
	loop  loop[T]
}

func (k *leakyReLU[T]) name() string     { return fmt.Sprintf("leakyReLU(%v)", k.alpha) }
func (k *leakyReLU[T]) wrt() []bool      { return []bool{true} }
func (k *leakyReLU[T]) clone() kernel[T] { return &leakyReLU[T]{alpha: k.alpha} }

func (k *leakyReLU[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[len(in)-1])
}

func (k *leakyReLU[T]) run(a *args[T]) error { return k.loop.run(k, a) }

// chunk looks up the slope, because branches on random signs are mispredicted.
func (k *leakyReLU[T]) chunk(a *args[T], lo, hi int) {
	x, of, y := a.in[0][lo:hi], a.in[len(a.in)-1][lo:hi], a.out[lo:hi]
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
