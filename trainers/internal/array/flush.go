package array

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Flush sets the numbers of an array that are below the normal range of its dtype, 1.2e-38
// in float32 and 2.2e-308 in float64, to 0. An array of another dtype stays.
func Flush(a *tensor.Dense) {
	if flush, err := apoops.Choose(a.Dtype(), flush[float32], flush[float64]); err == nil {
		flush(a)
	}
}

func flush[T apoops.Float](a *tensor.Dense) {
	x, least := apoops.Elements[T](a), blas.Pick[T](0x1p-126, 0x1p-1022)
	par.For(len(x), par.Grain, func(lo, hi int) {
		for i, v := range x[lo:hi] {
			if math.Abs(float64(v)) < least {
				x[lo+i] = 0
			}
		}
	})
}
