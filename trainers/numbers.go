package trainers

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// sumSquares is Σx² over all arrays, in float64. Where it is finite all elements
// are; where it is not, it may have overflowed.
func sumSquares(arrays ...*tensor.Dense) float64 {
	var total float64
	var single blas.Inner[float32]
	var double blas.Inner[float64]
	for _, a := range arrays {
		if a.Dtype() == tensor.Float32 {
			total += single.Product(a.Float32s(), a.Float32s())
		} else {
			total += double.Product(a.Float64s(), a.Float64s())
		}
	}
	return total
}

func norm(a *tensor.Dense) float64 { return math.Sqrt(sumSquares(a)) }

// allFinite tells whether no element is NaN or infinite.
func allFinite(arrays ...*tensor.Dense) bool {
	if finite(sumSquares(arrays...)) {
		return true
	}
	for _, a := range arrays {
		if !graph.Finite(a) {
			return false
		}
	}
	return true
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// multiplyBy scales an array in place.
func multiplyBy(a *tensor.Dense, factor float64) {
	if a.Dtype() == tensor.Float32 {
		scaleAll(a.Float32s(), float32(factor))
	} else {
		scaleAll(a.Float64s(), factor)
	}
}

func scaleAll[T apoops.Float](x []T, factor T) {
	par.For(len(x), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i] *= factor
		}
	})
}
