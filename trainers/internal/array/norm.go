package array

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
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

// RowsNorm bounds the norm of a gradient that is partly rows: g without the arrays that
// are nil, and for rows the sum of the norms of Ā_iᵀ·S_i, ‖ā_i‖·‖s_i‖.
func RowsNorm(g []*tensor.Dense, rows []graph.Rows) float64 {
	var total float64
	for _, a := range g {
		if a != nil {
			total += SumSquares(a)
		}
	}
	for _, r := range rows {
		if r.Len() == 0 {
			continue
		}
		norm, err := apoops.Choose(r.A.Dtype(), rowsNorm[float32], rowsNorm[float64])
		if err != nil {
			return math.NaN()
		}
		n := norm(r)
		total += n * n
	}
	return math.Sqrt(total)
}

func rowsNorm[T apoops.Float](r graph.Rows) (total float64) {
	a, s, n, m := apoops.Elements[T](r.A), apoops.Elements[T](r.S), r.A.Shape()[1], r.S.Shape()[1]
	norms := make([]float64, r.Len())
	one := float64(r.Inputs() - n)
	par.For(len(norms), par.RowGrain(n+m), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x, y := a[i*n:(i+1)*n], s[i*m:(i+1)*m]
			norms[i] = math.Sqrt((blas.Dot(x, x) + one) * blas.Dot(y, y))
		}
	})
	for _, x := range norms {
		total += x
	}
	return total
}
