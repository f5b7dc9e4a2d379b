package array

import (
	"math"
	"slices"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Bounds are upper bounds of the elements of arrays. They follow the steps by the
// rules' formulas, so that a step is known to stay finite before it is taken,
// without reading the arrays; those are read where the bounds have grown too
// large to decide.
type Bounds[T apoops.Float] struct {
	Arrays [][][]T // in groups
	// Norm measures an array of a group that is nil in Arrays.
	Norm  func(group, array int) float64
	known [][]float64 // one for each array; nil where they are to be measured
	inner blas.Inner[T]
}

// Hold reports whether a step keeps all arrays finite. step changes the bounds of a
// group to those after a step, and may say no by itself. They never shrink, so
// they are right also where the step is not taken.
func (b *Bounds[T]) Hold(step func(group int, x []float64) bool) bool {
	for {
		fresh := b.known == nil
		if fresh {
			b.measure()
		}
		if next, ok := b.after(step); ok {
			b.known = next
			return true
		}
		b.known = nil
		if fresh {
			return false
		}
	}
}

func (b *Bounds[T]) after(step func(group int, x []float64) bool) (next [][]float64, ok bool) {
	for i, old := range b.known {
		x := slices.Clone(old)
		if !step(i, x) {
			return nil, false
		}
		for j := range x {
			if !Within[T](x[j]) {
				return nil, false
			}
			x[j] = max(x[j], old[j])
		}
		next = append(next, x)
	}
	return next, true
}

func (b *Bounds[T]) measure() {
	for _, group := range b.Arrays {
		x := make([]float64, len(group))
		for j, a := range group {
			if a == nil && b.Norm != nil {
				x[j] = b.Norm(len(b.known), j)
				continue
			}
			x[j] = math.Sqrt(b.inner.Product(a, a))
		}
		b.known = append(b.known, x)
	}
}

// Invalidate has the arrays measured at the next step, because they were changed in
// another way than by steps.
func (b *Bounds[T]) Invalidate() { b.known = nil }

// Within reports whether a bound is far enough below the largest number of the type
// for sums of a few such to be finite.
func Within[T apoops.Float](x float64) bool { return x <= Limit[T]() }

// Limit is the largest number of T that is taken for safely finite.
func Limit[T apoops.Float]() float64 {
	limit, _ := apoops.Choose(apoops.DtypeOf[T](), math.MaxFloat32/64, math.MaxFloat64/64)
	return limit
}

// LeastNormal is the smallest number with full precision.
func LeastNormal[T apoops.Float]() float64 {
	least, _ := apoops.Choose(apoops.DtypeOf[T](), 0x1p-126, 0x1p-1022)
	return least
}
