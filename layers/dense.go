package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// DenseLayer is a fully connected layer, y = act([x,1]·W), for x of N×Inputs. W is
// (Inputs+1)×Outputs; its last row is the bias.
type DenseLayer struct {
	Inputs, Outputs int
	Activation      apoops.Activation
	// NoBias leaves the bias out: W is Inputs×Outputs.
	NoBias bool
	// Init draws the weights, Inputs×Outputs. nil stands for He with ReLU and for
	// Glorot with other activations. The bias starts at 0.
	Init Initializer
}

var _ Layer = (*DenseLayer)(nil)

// Dense is a fully connected layer with bias and the default initialisation.
func Dense(inputs, outputs int, act apoops.Activation) *DenseLayer {
	return &DenseLayer{Inputs: inputs, Outputs: outputs, Activation: act}
}

// Kind implements Layer.
func (*DenseLayer) Kind() string { return "dense" }

// Params implements Layer.
func (d *DenseLayer) Params() ([]Spec, error) {
	if d.Inputs < 1 || d.Outputs < 1 {
		return nil, errors.Errorf("%d inputs, %d outputs: both must be positive", d.Inputs, d.Outputs)
	}
	init := d.Init
	switch {
	case init != nil:
	case d.Activation == apoops.ReLUAct:
		init = He()
	default:
		init = Glorot()
	}
	if d.NoBias {
		return []Spec{{Shape: tensor.Shape{d.Inputs, d.Outputs}, Matrix: true, Init: init}}, nil
	}
	return []Spec{{Shape: tensor.Shape{d.Inputs + 1, d.Outputs}, Matrix: true, Bias: true, Init: Biased(init)}}, nil
}

// Apply implements Layer.
func (d *DenseLayer) Apply(_ *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if d.NoBias {
		return apoops.Linear(x, theta[0], d.Activation)
	}
	return apoops.Dense(x, theta[0], d.Activation)
}
