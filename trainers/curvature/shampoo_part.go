package curvature

import (
	"fmt"
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// shampooPart is a part of a block, rows×cols from (row, col), with statistics L
// and R and their roots.
type shampooPart[T apoops.Float] struct {
	row, col, rows, cols int
	from, stride         int // where the part is in the block's arrays
	l, r                 []T
	rootL, rootR         []T             // L^(-1/4) and R^(-1/4)
	stored               []*tensor.Dense // L, R and their roots; of spectra what members share
	half                 []T
	spectra              *spectra[T] // nil unless ε is learned
}

func newShampooPart[T apoops.Float](row, col, rows, cols, stride int, eps T) *shampooPart[T] {
	p := &shampooPart[T]{
		row: row, col: col, rows: rows, cols: cols, from: row*stride + col, stride: stride,
		l: make([]T, rows*rows), r: make([]T, cols*cols), rootL: make([]T, rows*rows), rootR: make([]T, cols*cols),
		half: make([]T, rows*cols),
	}
	array.Identity(p.l, rows, eps)
	array.Identity(p.r, cols, eps)
	array.Identity(p.rootL, rows, 1)
	array.Identity(p.rootR, cols, 1)
	p.stored = []*tensor.Dense{
		array.Matrix(p.l, rows, rows), array.Matrix(p.r, cols, cols), array.Matrix(p.rootL, rows, rows), array.Matrix(p.rootR, cols, cols),
	}
	return p
}

// accumulate adds the products of the gradient to L and R.
func (p *shampooPart[T]) accumulate(g []T, beta2 T) {
	take := T(1)
	if beta2 < 1 {
		take = 1 - beta2
	}
	g = g[p.from:]
	blas.Syrk(false, p.rows, p.cols, take, g, p.stride, beta2, p.l, p.rows)
	blas.Syrk(true, p.cols, p.rows, take, g, p.stride, beta2, p.r, p.cols)
}

// takeRoots computes the roots of L + ε·I and R + ε·I. After an error they are as before.
func (p *shampooPart[T]) takeRoots(kept *precision.Precision, eps float64) error {
	l, err := decomposed(p.l, p.rows)
	if err != nil {
		return err
	}
	r, err := decomposed(p.r, p.cols)
	if err != nil {
		return err
	}
	if err := p.putRoots(kept, l, r, eps); err != nil {
		return err
	}
	if p.spectra != nil {
		p.spectra.put(kept, l, r)
	}
	return nil
}

func (p *shampooPart[T]) putRoots(kept *precision.Precision, l, r eigen, eps float64) error {
	rootL, err := l.inverseFourthRoot(eps, ulp[T]())
	if err != nil {
		return err
	}
	rootR, err := r.inverseFourthRoot(eps, ulp[T]())
	if err != nil {
		return err
	}
	return store[T](kept, p.stored[2:4], rootL, rootR)
}

// eigen is a symmetric matrix A = Uᵀ·diag(w)·U: its eigenvalues, smallest first, and its
// eigenvectors, the rows of u.
type eigen struct{ u, w []float64 }

func decomposed[T apoops.Float](a []T, n int) (eigen, error) {
	e := eigen{u: float64s(a), w: make([]float64, n)}
	return e, blas.Eigen(n, e.u, e.w)
}

// inverseFourthRoot is (A + ε·I)^(-1/4) of a positive definite matrix. Eigenvalues below
// the rounding of the largest are raised to it. In float32 it takes half of the time, but the
// root is off by about 6e-8 times the largest eigenvalue over the least: by 1e-3 to 1e-2
// with the default settings, after 20 steps on the digits.
func (e eigen) inverseFourthRoot(eps, ulp float64) ([]float64, error) {
	n := len(e.w)
	least := (e.w[n-1] + eps) * ulp
	if !(least > 0) {
		return nil, errors.New("trainers: shampoo: the statistics are not positive")
	}
	// (A + ε·I)^(-1/4) = VᵀV with the rows of V those of U, times (w + ε)^(-1/8).
	v := slices.Clone(e.u)
	for i, w := range e.w {
		blas.Scal(math.Pow(max(w+eps, least), -1.0/8), v[i*n:(i+1)*n])
	}
	root := make([]float64, n*n)
	blas.Syrk(true, n, n, 1, v, n, 0, root, n)
	return root, nil
}

func float64s[T apoops.Float](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// largest bounds the elements of L and R.
func (p *shampooPart[T]) largest() float64 { return max(trace(p.l, p.rows), trace(p.r, p.cols)) }

// ulp is the distance from 1 to the next number.
func ulp[T apoops.Float]() float64 {
	u, _ := apoops.Choose(apoops.DtypeOf[T](), 1.0/(1<<23), 1.0/(1<<52))
	return u
}

// precondition computes the part's d = L^(-1/4) g R^(-1/4).
func (p *shampooPart[T]) precondition(d, g []T) {
	blas.Gemm(false, false, p.rows, p.cols, p.rows, 1, p.rootL, p.rows, g[p.from:], p.stride, 0, p.half, p.cols)
	blas.Gemm(false, false, p.rows, p.cols, p.cols, 1, p.half, p.cols, p.rootR, p.cols, 0, d[p.from:], p.stride)
}

func (p *shampooPart[T]) state(block string) []checkpoint.NamedTensor {
	name := fmt.Sprintf("%s/%d,%d/", block, p.row, p.col)
	all := []checkpoint.NamedTensor{
		{Name: name + "L", Value: p.stored[0]},
		{Name: name + "R", Value: p.stored[1]},
		{Name: name + "root/L", Value: p.stored[2]},
		{Name: name + "root/R", Value: p.stored[3]},
	}
	if p.spectra == nil {
		return all
	}
	return append(all, p.spectra.state(name)...)
}
