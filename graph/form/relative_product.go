package form

import (
	"slices"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// outerProduct multiplies by P where S is an outer product s_B·s_Aᵀ, as relative steps
// leave it:
//
//	U = P_B·G·P_A,  P_B = B·diag(s_B²)·Bᵀ,  P_A = A·diag(s_A²)·Aᵀ.
//
// It keeps P_A and P_B for the steps between two changes of the factors.
type outerProduct[T apoops.Float] struct {
	rows, cols int
	made       [3][]T // the A, B and S that the rest is made from
	outer      bool   // S is an outer product
	a, b       outerSide[T]
	half       []T // G·P_A
	between    []T // Fᵀ times a matrix, on the side of the factor F
	scaled     []T // F·diag(s²)
}

// outerSide is one side of P, F·diag(s²)·Fᵀ with an n×n matrix F.
type outerSide[T apoops.Float] struct {
	n int
	s []T
	p []T // nil where two products with F take its place
}

// worth is how many times the other side's size a side may have to get the matrix P:
// making it costs n³ once, and saves n²·m a step, in practice of five steps or more.
const worth = 4

func newOuterProduct[T apoops.Float](rows, cols int) *outerProduct[T] {
	o := &outerProduct[T]{rows: rows, cols: cols, half: make([]T, rows*cols), between: make([]T, rows*cols)}
	o.a, o.b = newOuterSide[T](cols, rows), newOuterSide[T](rows, cols)
	o.scaled = make([]T, max(len(o.a.p), len(o.b.p)))
	return o
}

func newOuterSide[T apoops.Float](n, other int) outerSide[T] {
	s := outerSide[T]{n: n, s: make([]T, n)}
	if n <= worth*other {
		s.p = make([]T, n*n)
	}
	return s
}

// multiply writes P·G to dst. It returns false, and does nothing, where S is not an
// outer product.
func (o *outerProduct[T]) multiply(dst, a, b, s, g []T) bool {
	o.make(a, b, s)
	if !o.outer {
		return false
	}
	n, m := o.rows, o.cols
	if o.a.p != nil {
		blas.Gemm(false, false, n, m, m, 1, g, m, o.a.p, m, 0, o.half, m)
	} else {
		blas.Gemm(false, false, n, m, m, 1, g, m, a, m, 0, o.between, m)
		for i := range n {
			scaleBySquares(o.between[i*m:(i+1)*m], o.a.s)
		}
		blas.Gemm(false, true, n, m, m, 1, o.between, m, a, m, 0, o.half, m)
	}
	if o.b.p != nil {
		blas.Gemm(false, false, n, m, n, 1, o.b.p, n, o.half, m, 0, dst, m)
		return true
	}
	blas.Gemm(true, false, n, m, n, 1, b, n, o.half, m, 0, o.between, m)
	for i, x := range o.b.s {
		blas.Scal(x*x, o.between[i*m:(i+1)*m])
	}
	blas.Gemm(false, false, n, m, n, 1, b, n, o.between, m, 0, dst, m)
	return true
}

// make prepares for factors that are not those of the last time. They are compared,
// for whoever loads a checkpoint changes them as well.
func (o *outerProduct[T]) make(a, b, s []T) {
	changed := false
	for i, f := range [][]T{a, b, s} {
		if !slices.Equal(o.made[i], f) {
			o.made[i], changed = append(o.made[i][:0], f...), true
		}
	}
	if !changed {
		return
	}
	if o.outer = apoops.Outer(s, o.rows, o.cols, o.b.s, o.a.s); o.outer {
		o.a.make(a, o.scaled)
		o.b.make(b, o.scaled)
	}
}

func (s *outerSide[T]) make(f, scaled []T) {
	if s.p == nil {
		return
	}
	n := s.n
	par.For(n, par.RowGrain(n), func(lo, hi int) {
		copy(scaled[lo*n:hi*n], f[lo*n:hi*n])
		for i := lo; i < hi; i++ {
			scaleBySquares(scaled[i*n:(i+1)*n], s.s)
		}
	})
	blas.Gemm(false, true, n, n, n, 1, scaled, n, f, n, 0, s.p, n)
}

// scaleBySquares is x_j ← x_j·s_j².
func scaleBySquares[T apoops.Float](x, s []T) {
	for j, v := range s {
		x[j] *= v * v
	}
}
