package trainers

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// sumSquares is Σx² over all arrays, in float64. It is not finite if and only
// if an element is not finite (or its square overflows float64).
func sumSquares(arrays ...*tensor.Dense) float64 {
	var total float64
	for _, a := range arrays {
		if a.Dtype() == tensor.Float32 {
			total += squares(a.Float32s())
		} else {
			total += squares(a.Float64s())
		}
	}
	return total
}

func squares[T apoops.Float](x []T) float64 {
	part := make([]float64, (len(x)+par.Grain-1)/par.Grain)
	par.For(len(x), par.Grain, func(lo, hi int) { part[lo/par.Grain] = blas.Dot(x[lo:hi], x[lo:hi]) })
	var total float64
	for _, p := range part {
		total += p
	}
	return total
}

func norm(a *tensor.Dense) float64 { return math.Sqrt(sumSquares(a)) }

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
