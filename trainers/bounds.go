package trainers

import (
	"math"
	"slices"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// bounds are upper bounds of the elements of arrays. They follow the steps by the
// rules' formulas, so that a step is known to stay finite before it is taken,
// without reading the arrays; those are read where the bounds have grown too
// large to tell.
type bounds[T apoops.Float] struct {
	arrays [][][]T     // in groups
	known  [][]float64 // one for each array; nil where they are to be measured
	inner  blas.Inner[T]
}

// hold tells whether a step keeps all arrays finite. step changes the bounds of a
// group to those after a step, and may say no by itself. They never shrink, so
// they are right also where the step is not taken.
func (b *bounds[T]) hold(step func(group int, x []float64) bool) bool {
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

func (b *bounds[T]) after(step func(group int, x []float64) bool) (next [][]float64, ok bool) {
	for i, old := range b.known {
		x := slices.Clone(old)
		if !step(i, x) {
			return nil, false
		}
		for j := range x {
			if !within[T](x[j]) {
				return nil, false
			}
			x[j] = max(x[j], old[j])
		}
		next = append(next, x)
	}
	return next, true
}

func (b *bounds[T]) measure() {
	for _, group := range b.arrays {
		x := make([]float64, len(group))
		for j, a := range group {
			x[j] = math.Sqrt(b.inner.Product(a, a))
		}
		b.known = append(b.known, x)
	}
}

// forget has the arrays measured at the next step, because they were changed in
// another way than by steps.
func (b *bounds[T]) forget() { b.known = nil }

// within tells whether a bound is far enough below the largest number of the type
// for sums of a few such to be finite.
func within[T apoops.Float](x float64) bool { return x <= limit[T]() }

func limit[T apoops.Float]() float64 {
	if single[T]() {
		return math.MaxFloat32 / 64
	}
	return math.MaxFloat64 / 64
}

// leastNormal is the smallest number with full precision.
func leastNormal[T apoops.Float]() float64 {
	if single[T]() {
		return 0x1p-126
	}
	return 0x1p-1022
}

func single[T apoops.Float]() bool {
	_, is := any(T(0)).(float32)
	return is
}

// scaledReach bounds |m|·first/(√v·root + ε), where v averages the squares of
// numbers up to g and m is at most ratio·√v, or at most m where squares underflow:
// these are those below √(leastNormal/keep).
func scaledReach[T apoops.Float](m, first, root, eps, ratio, keep float64) float64 {
	lost := math.Sqrt(leastNormal[T]() / keep)
	if !within[T](m * first) {
		return math.Inf(1)
	}
	const rounding = 2
	return rounding * min(m*first/eps, ratio*first/root+lost*first/eps)
}
