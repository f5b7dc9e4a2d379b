package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Param is one learnable array of a model.
type Param struct {
	// Name is unique within the model, such as "fc1" or "bn2/scale".
	Name string
	// Value holds the weights; it is changed in place by training.
	Value *tensor.Dense
	// Matrix is true for a layer's weights with the bias as their last row,
	// (inputs+1)×outputs: the form that Eq. 9 and the KFAC family precondition.
	// Other parameters get a diagonal preconditioner.
	Matrix bool
}

// CheckParams reports empty lists, missing or repeated names, missing values,
// and dtypes that differ or are not float32 or float64.
func CheckParams(params []*Param) error {
	if len(params) == 0 {
		return errors.New("graph: the model has no parameters")
	}
	seen := make(map[string]bool, len(params))
	for i, p := range params {
		switch {
		case p == nil || p.Value == nil:
			return errors.Errorf("graph: parameter %d has no value", i)
		case p.Name == "":
			return errors.Errorf("graph: parameter %d has no name", i)
		case seen[p.Name]:
			return errors.Errorf("graph: two parameters are named %q", p.Name)
		case p.Value.Dtype() != tensor.Float32 && p.Value.Dtype() != tensor.Float64:
			return errors.Errorf("graph: parameter %q is of dtype %v, not float32 or float64", p.Name, p.Value.Dtype())
		case p.Value.Dtype() != params[0].Value.Dtype():
			return errors.Errorf("graph: parameter %q is of dtype %v, %q of %v", p.Name, p.Value.Dtype(), params[0].Name, params[0].Value.Dtype())
		case p.Matrix && p.Value.Dims() != 2:
			return errors.Errorf("graph: parameter %q is marked a matrix but has shape %v", p.Name, p.Value.Shape())
		case !RowMajor(p.Value):
			return errors.Errorf("graph: parameter %q is a view or column-major: clone it in row-major order", p.Name)
		}
		seen[p.Name] = true
	}
	return nil
}
