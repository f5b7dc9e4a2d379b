package array

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// LikeRows is an array for n rows of t.
func LikeRows(t *tensor.Dense, n int) *tensor.Dense {
	shape := t.Shape().Clone()
	shape[0] = n
	return tensor.New(tensor.Of(t.Dtype()), tensor.WithShape(shape...))
}

// CopyRows copies rows of src to the rows of dst: floats, class numbers or tokens, both of
// one dtype.
func CopyRows(dst, src *tensor.Dense, rows []int) {
	copyFloats, err := apoops.Choose(src.Dtype(), copyFloatRows[float32], copyFloatRows[float64])
	if err != nil {
		pickRows(dst.Ints(), src.Ints(), rows)
		return
	}
	copyFloats(dst, src, rows)
}

func copyFloatRows[T apoops.Float](dst, src *tensor.Dense, rows []int) {
	pickRows(apoops.Elements[T](dst), apoops.Elements[T](src), rows)
}

func pickRows[T any](dst, src []T, rows []int) {
	n := len(dst) / len(rows)
	for i, r := range rows {
		copy(dst[i*n:(i+1)*n], src[r*n:])
	}
}

// Spread are n of the numbers below all, evenly spaced,
//
//	⌊(i + o/s)·all/n⌋,    i = 0, …, n-1,    s = ⌈all/n⌉,    o = turn mod s
//
// so that in s turns each number has been among them.
func Spread(all, n, turn int) []int {
	s := (all + n - 1) / n
	rows := make([]int, n)
	for i := range rows {
		rows[i] = (i*s + turn%s) * all / (n * s)
	}
	return rows
}
