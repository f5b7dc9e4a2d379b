package layers

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// MLP is a multi-layer perceptron of the given widths, inputs first. There is ReLU
// between the layers; the output is linear (logits).
func MLP(widths ...int) *Model { return MLPWith(apoops.ReLUAct, widths...) }

// MLPWith is an MLP with another activation between the layers.
func MLPWith(act apoops.Activation, widths ...int) *Model {
	return stack(widths, func(i, o int, last bool) *DenseLayer {
		if last {
			return Dense(i, o, apoops.Identity)
		}
		return Dense(i, o, act)
	})
}

// DeepLinear is f(x) = x·W_1·W_2⋯, without biases and activations: the net of the
// paper's poorly conditioned regression (Section 6.1).
func DeepLinear(widths ...int) *Model {
	return stack(widths, func(i, o int, _ bool) *DenseLayer {
		return &DenseLayer{Inputs: i, Outputs: o, NoBias: true}
	})
}

// Autoencoder has an encoder of the given widths, inputs first, and its mirror image
// as the decoder. Its units are logistic, each starts with 15 incoming weights
// (Sparse), and the output are logits. The paper's is
//
//	Autoencoder(784, 1000, 500, 250, 30)
func Autoencoder(widths ...int) *Model {
	all := append([]int(nil), widths...)
	for i := len(widths) - 2; i >= 0; i-- {
		all = append(all, widths[i])
	}
	return stack(all, func(i, o int, last bool) *DenseLayer {
		d := Dense(i, o, apoops.SigmoidAct)
		if last {
			d.Activation = apoops.Identity
		}
		d.Init = Sparse(15)
		return d
	})
}

func stack(widths []int, layer func(inputs, outputs int, last bool) *DenseLayer) *Model {
	if len(widths) < 2 {
		return invalid(errors.Errorf("a model of widths %v: needs at least an input and an output width", widths))
	}
	m := &Model{}
	for i, w := range widths[1:] {
		m.layers = append(m.layers, layer(widths[i], w, i == len(widths)-2))
	}
	return m
}
