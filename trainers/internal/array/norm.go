package array

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
)

// Inner is Σ <x_i, y_i> over pairs of arrays of the same dtype and size, in float64.
func Inner(x, y []*tensor.Dense) float64 {
	var total float64
	for i, a := range x {
		product, err := apoops.Choose(a.Dtype(), product[float32], product[float64])
		if err != nil {
			return math.NaN()
		}
		total += product(a, y[i])
	}
	return total
}

func product[T apoops.Float](x, y *tensor.Dense) float64 {
	var sum blas.Inner[T]
	return sum.Product(apoops.Elements[T](x), apoops.Elements[T](y))
}

// SumSquares is Σx² over all arrays, in float64. Where it is finite all elements
// are; where it is not, it may have overflowed.
func SumSquares(arrays ...*tensor.Dense) float64 { return Inner(arrays, arrays) }

// Norm is the Euclidean norm of an array.
func Norm(a *tensor.Dense) float64 { return math.Sqrt(SumSquares(a)) }

// AllFinite reports whether no element is NaN or infinite.
func AllFinite(arrays ...*tensor.Dense) bool {
	if IsFinite(SumSquares(arrays...)) {
		return true
	}
	for _, a := range arrays {
		if !graph.Finite(a) {
			return false
		}
	}
	return true
}

// IsFinite reports whether a number is neither NaN nor infinite.
func IsFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
