package rule

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// checkInput reports a gradient that does not fit the parameters.
func checkInput(params []*graph.Param, in Input) error {
	if in.Packed == nil {
		return CheckGradients(params, in.G)
	}
	for i, p := range params {
		if len(in.Packed[i].Bits) != p.Value.DataSize() {
			return graph.ErrShape.Errorf("trainers: gradient of %q has %d elements, not those of shape %v", p.Name, len(in.Packed[i].Bits), p.Value.Shape())
		}
	}
	return nil
}

// CheckGradients reports gradients that are missing or not of their parameters' dtype and size.
func CheckGradients(params []*graph.Param, g []*tensor.Dense) error {
	for i, p := range params {
		if g[i] == nil {
			return errors.Errorf("trainers: there is no gradient of %q", p.Name)
		}
		if g[i].Dtype() != p.Value.Dtype() || g[i].DataSize() != p.Value.DataSize() {
			return graph.ErrShape.Errorf("trainers: gradient of %q is %v of shape %v, not %v of shape %v", p.Name, g[i].Dtype(), g[i].Shape(), p.Value.Dtype(), p.Value.Shape())
		}
	}
	return nil
}
