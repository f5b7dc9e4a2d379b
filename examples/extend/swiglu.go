package extend

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// SwiGLU is a gated linear unit (Shazeer 2020):
//
//	y = swish([x,1]·G) ∘ [x,1]·V
//
// for x of n×Inputs. G and V are (Inputs+1)×Outputs: the last row is the bias.
type SwiGLU struct{ Inputs, Outputs int }

var (
	_ layers.Layer     = SwiGLU{}
	_ layers.Describer = SwiGLU{}
)

// Kind implements layers.Layer: parameters are named swiglu0/gate, swiglu0/value, ….
func (SwiGLU) Kind() string { return "swiglu" }

// Describe implements layers.Describer, so that a checkpoint of another model is
// refused.
func (l SwiGLU) Describe() string { return fmt.Sprintf("swiglu %d×%d", l.Inputs, l.Outputs) }

// Params implements layers.Layer.
func (l SwiGLU) Params() ([]layers.Spec, error) {
	if l.Inputs < 1 || l.Outputs < 1 {
		return nil, errors.Errorf("%d inputs, %d outputs: both must be positive", l.Inputs, l.Outputs)
	}
	var specs []layers.Spec
	for _, name := range []string{"gate", "value"} {
		specs = append(specs, layers.Spec{
			Name: name, Shape: tensor.Shape{l.Inputs + 1, l.Outputs}, Matrix: true, Bias: true, Init: layers.Biased(layers.Glorot()),
		})
	}
	return specs, nil
}

// Apply implements layers.Layer.
func (SwiGLU) Apply(_ *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	gate, err := apoops.Dense(x, theta[0], apoops.Identity)
	if err != nil {
		return nil, err
	}
	if gate, err = Swish(gate); err != nil {
		return nil, err
	}
	value, err := apoops.Dense(x, theta[1], apoops.Identity)
	if err != nil {
		return nil, err
	}
	return gorgonia.HadamardProd(gate, value)
}
