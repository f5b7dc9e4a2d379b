package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// errNoSecondDerivative is returned by the gradient of a gradient. APO needs
// none: g does not depend on φ.
var errNoSecondDerivative = errors.New("second derivatives are not provided")

func sameShape(a, b tensor.Shape) error {
	if !a.Eq(b) {
		return errors.Errorf("operands of different shapes %v and %v", a, b)
	}
	return nil
}

func wantMatrix(s tensor.Shape, operand string) error {
	if s.Dims() != 2 {
		return errors.Errorf("%s has shape %v, not a matrix", operand, s)
	}
	return nil
}
