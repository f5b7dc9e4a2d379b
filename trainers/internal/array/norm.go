package array

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
)

// Inner is Σ <x_i, y_i> over pairs of arrays of equal sizes, in float64. All arrays
// have one dtype of apoops.Float; otherwise it is NaN.
func Inner(x, y []*tensor.Dense) float64 {
	if len(x) == 0 {
		return 0
	}
	inner, err := apoops.Choose(x[0].Dtype(), inner[float32], inner[float64])
	if err != nil {
		return math.NaN()
	}
	return inner(x, y)
}

func inner[T apoops.Float](x, y []*tensor.Dense) (total float64) {
	var sum blas.Inner[T]
	for i, a := range x {
		if a.Dtype() != apoops.DtypeOf[T]() || y[i].Dtype() != a.Dtype() {
			return math.NaN()
		}
		total += sum.Product(apoops.Elements[T](a), apoops.Elements[T](y[i]))
	}
	return total
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
