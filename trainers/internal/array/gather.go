package array

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Gather is the block's part of the gradient: the array itself where the block
// is one parameter, else a copy in buf, which is made where it is nil.
func Gather[T apoops.Float](b graph.Block, buf []T, g []*tensor.Dense) []T {
	if len(b.Params) == 1 {
		return apoops.Elements[T](g[b.Params[0]])
	}
	if buf == nil {
		buf = make([]T, b.Rows*b.Cols)
	}
	lo := 0
	for _, i := range b.Params {
		lo += copy(buf[lo:], apoops.Elements[T](g[i]))
	}
	return buf
}
