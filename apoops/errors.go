package apoops

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// errNoSecondDerivative is returned by the gradient of a gradient. APO needs
// none: g does not depend on φ.
var errNoSecondDerivative = errors.New("second derivatives are not provided")

func sameShape(a, b tensor.Shape) error {
	if !a.Eq(b) {
		return ErrShape.Errorf("operands of different shapes %v and %v", a, b)
	}
	return nil
}

// SameShape tells whether two shapes are the same number for number. tensor.Shape.Eq
// also takes a vector for a row or a column.
func SameShape(a, b tensor.Shape) bool { return slices.Equal(a, b) }

// sameRows tells whether arrays of these shapes have the same elements in each row:
// a vector of N and N×1 count as equal.
func sameRows(a, b tensor.Shape) bool {
	column := func(s tensor.Shape) tensor.Shape {
		if s.Dims() == 2 && s[1] == 1 {
			return s[:1]
		}
		return s
	}
	return SameShape(column(a), column(b))
}

// checkSize reports a result that no memory is asked for.
func checkSize(s tensor.Shape) error {
	const most = 1 << 36
	size := 1
	for _, n := range s {
		if n < 1 || size > most/n {
			return ErrShape.Errorf("a result of shape %v is empty or has more than %d elements", s, most)
		}
		size *= n
	}
	return nil
}

func wantMatrix(s tensor.Shape, operand string) error {
	if s.Dims() != 2 {
		return ErrShape.Errorf("%s has shape %v, not a matrix", operand, s)
	}
	return nil
}
