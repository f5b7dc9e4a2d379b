package apoops

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// columnGrain is the number of columns that make a chunk of parallel work.
const columnGrain = 256

// columnSums is the kernel of the sums of a matrix's columns, in the shape to: the
// gradient by a bias.
type columnSums[T Float] struct {
	leaf[T]
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *columnSums[T]) name() string     { return "columnSums" }
func (k *columnSums[T]) fresh() kernel[T] { return &columnSums[T]{to: k.to} }

func (k *columnSums[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *columnSums[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) { sumColumns(k.a.out, k.a.in[0], lo, hi) }
	}
	k.a = a
	par.For(len(a.out), columnGrain, k.body)
	return nil
}

// sumColumns sets the sums [lo, hi) of the columns of the matrix x, which has
// len(sum) columns.
func sumColumns[T Float](sum, x []T, lo, hi int) {
	m := len(sum)
	sum = sum[lo:hi]
	clear(sum)
	for i := lo; i < len(x); i += m {
		for j, v := range x[i : i+hi-lo] {
			sum[j] += v
		}
	}
}
