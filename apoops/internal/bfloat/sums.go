package bfloat

import (
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// ColumnSums sets the sums [lo, hi) of the columns of the matrix x, which has len(sum)
// columns. It adds row by row.
func ColumnSums(sum, x []uint16, lo, hi int) {
	buf := scratch.Get[float32](len(sum))
	SumColumns(buf, x, lo, hi)
	half.Pack(half.BFloat16, sum[lo:hi], buf[lo:hi])
	scratch.Put(buf)
}

// SumColumns is ColumnSums without the rounding of sums.
func SumColumns(sum []float32, x []uint16, lo, hi int) {
	all, row := sum[lo:hi], scratch.Get[float32](hi-lo)
	clear(all)
	for i := lo; i < len(x); i += len(sum) {
		half.Expand(half.BFloat16, row, x[i:i+hi-lo])
		simd.Add(all, all, row)
	}
	scratch.Put(row)
}
