package bfloat

import (
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// ColumnSums sets the sums [lo, hi) of the columns of the matrix x, which has len(sum)
// columns. It adds row by row.
func ColumnSums(sum, x []uint16, lo, hi int) {
	m, width := len(sum), hi-lo
	buf := scratch.Get[float32](2 * width)
	all, row := buf[:width], buf[width:]
	clear(all)
	for i := lo; i < len(x); i += m {
		half.Expand(half.BFloat16, row, x[i:i+width])
		simd.Add(all, all, row)
	}
	half.Pack(half.BFloat16, sum[lo:hi], all)
	scratch.Put(buf)
}
