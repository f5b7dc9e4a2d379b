package bfloat

import (
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// ColumnSums sets the sums [lo, hi) of the columns of the matrix x, which has len(sum)
// columns. It adds row by row.
func ColumnSums(sum, x []uint16, lo, hi int) {
	all, row := scratch.Get[float32](hi-lo), scratch.Get[float32](hi-lo)
	clear(all)
	for i := lo; i < len(x); i += len(sum) {
		half.Expand(half.BFloat16, row, x[i:i+hi-lo])
		simd.Add(all, all, row)
	}
	half.Pack(half.BFloat16, sum[lo:hi], all)
	scratch.Put(row)
	scratch.Put(all)
}
