package form

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// factors are the arrays of a preconditioner.
type factors[T apoops.Float] struct{ dense []*tensor.Dense }

// newFactors makes arrays of zeros.
func newFactors[T apoops.Float](list []Factor) factors[T] {
	var f factors[T]
	for _, q := range list {
		f.dense = append(f.dense, zeros[T](q.Shape))
	}
	return f
}

func zeros[T apoops.Float](s tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(make([]T, s.TotalSize())))
}

func vector[T apoops.Float](x []T) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))
}

// Factors implements Preconditioner.
func (f *factors[T]) Factors() []*tensor.Dense { return f.dense }

func (f *factors[T]) array(i int) []T { return apoops.Elements[T](f.dense[i]) }

// setIdentity adds scale·I to factor i, an n×n matrix of zeros.
func (f *factors[T]) setIdentity(i, n int, scale T) {
	a := f.array(i)
	for j := range n {
		a[j*n+j] = scale
	}
}

func (f *factors[T]) fill(i int, v T) {
	a := f.array(i)
	for j := range a {
		a[j] = v
	}
}

// squaredBound is the bound of a P that has each factor twice. With all norms at
// least 1 the whole product also bounds its parts.
func squaredBound(norms []float64) float64 {
	p := 1.0
	for _, n := range norms {
		p *= max(n, 1) * max(n, 1)
	}
	return p
}
