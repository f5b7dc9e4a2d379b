package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Activation is an element-wise function whose derivative is known from its
// value, so that it can be fused with the op before it.
type Activation int

// The activations. The derivative of ReLUAct at 0 is 0, that of RectifyAct is 1:
// as its value at 0 is +0, and -0 below, the value tells.
const (
	Identity   Activation = iota // z
	ReLUAct                      // max(z, 0)
	SigmoidAct                   // 1/(1+e⁻ᶻ)
	TanhAct                      // tanh z
	RectifyAct                   // max(z, 0), as Gorgonia's Rectify
)

var activationNames = [...]string{"identity", "relu", "sigmoid", "tanh", "rectify"}

// known tells whether a is one of the activations.
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
	return pick(&activation[float32]{act: a}, &activation[float64]{act: a}, x)
}

// activation is the kernel y = act(x).
type activation[T Float] struct {
	act  Activation
	a    *args[T]
	body func(lo, hi int)
}

func (k *activation[T]) name() string     { return k.act.String() }
func (k *activation[T]) wrt() []bool      { return []bool{true} }
func (k *activation[T]) fresh() kernel[T] { return &activation[T]{act: k.act} }

func (k *activation[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *activation[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			y := k.a.out[lo:hi]
			copy(y, k.a.in[0][lo:hi])
			forward(k.act, y)
		}
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *activation[T]) grad(_ gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&activationGrad[T]{act: k.act}, out, dout)
	return gorgonia.Nodes{dx}, err
}

// activationGrad is the kernel dx = act'(x)·dy, where act' is known from y.
type activationGrad[T Float] struct {
	leaf[T]
	act  Activation
	a    *args[T]
	body func(lo, hi int)
}

func (k *activationGrad[T]) name() string     { return k.act.String() + "Grad" }
func (k *activationGrad[T]) fresh() kernel[T] { return &activationGrad[T]{act: k.act} }

func (k *activationGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *activationGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) { backward(k.act, k.a.out[lo:hi], k.a.in[0][lo:hi], k.a.in[1][lo:hi]) }
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

// activationGradient is the node act'(z)·dy.
func activationGradient(act Activation, y, dy *gorgonia.Node) (*gorgonia.Node, error) {
	return pick(&activationGrad[float32]{act: act}, &activationGrad[float64]{act: act}, y, dy)
}

// forward replaces each z by act(z).
func forward[T Float](act Activation, z []T) {
	switch act {
	case ReLUAct:
		for i, v := range z {
			z[i] = max(v, 0)
		}
	case SigmoidAct:
		sigmoids(z)
	case TanhAct:
		tanhs(z)
	case RectifyAct:
		rectify(z)
	}
}

// backward sets dz = act'(z)·dy with act' taken from y = act(z).
func backward[T Float](act Activation, dz, y, dy []T) {
	y, dy = y[:len(dz)], dy[:len(dz)]
	switch act {
	case Identity:
		copy(dz, dy)
	case ReLUAct:
		wherePositive(dz, y, dy)
	case SigmoidAct:
		for i, v := range y {
			dz[i] = v * (1 - v) * dy[i]
		}
	case TanhAct:
		for i, v := range y {
			dz[i] = (1 - v*v) * dy[i]
		}
	case RectifyAct:
		whereUnsigned(dz, y, dy)
	}
}

// wherePositive sets dz to dy where y > 0, to 0 elsewhere. It looks up which of
// the two to take instead of branching: a processor cannot foresee the signs.
func wherePositive[T Float](dz, y, dy []T) {
	y, dy = y[:len(dz)], dy[:len(dz)]
	for i, v := range y {
		choice, k := [2]T{0, dy[i]}, 0
		if v > 0 {
			k = 1
		}
		dz[i] = choice[k&1]
	}
}

// rectify replaces z by -0 below 0, by +0 at 0.
func rectify[T Float](z []T) {
	negativeZero := T(math.Copysign(0, -1))
	for i, v := range z {
		choice, k := [2]T{v + 0, negativeZero}, 0
		if v < 0 {
			k = 1
		}
		z[i] = choice[k&1]
	}
}

// whereUnsigned sets dz to dy where y has no sign, to 0 elsewhere.
func whereUnsigned[T Float](dz, y, dy []T) {
	y, dy = y[:len(dz)], dy[:len(dz)]
	for i, v := range y {
		choice := [2]T{dy[i], 0}
		dz[i] = choice[math.Float64bits(float64(v))>>63]
	}
}
