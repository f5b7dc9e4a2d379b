package blas

import (
	"math"

	"github.com/pkg/errors"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	gonumlapack "gonum.org/v1/gonum/lapack/gonum"
)

// Eigen decomposes the symmetric n×n matrix a, A = Uᵀ·diag(w)·U. It overwrites a
// with U, whose rows are the eigenvectors, and w with the eigenvalues, smallest
// first. Where the library has no LAPACK, gonum does the work in float64. An
// error (an element that is not finite, no convergence) leaves a and w undefined.
func Eigen[T Float](n int, a, w []T) error {
	fits(a, n, n, max(n, 1), "A")
	vectorFits(w, n, 1, "w")
	if n == 0 {
		return nil
	}
	if !allFinite(a) {
		return errors.New("blas: eigenvalues of a matrix that is not finite")
	}
	if err := eigen(n, a, w); err != nil {
		return err
	}
	if !allFinite(a) || !allFinite(w) {
		return errors.New("blas: eigenvalues or eigenvectors are not finite")
	}
	return nil
}

func eigen[T Float](n int, a, w []T) error {
	if l, ok := selected().impl.(foreign); ok && l.lapack {
		return foreignEigen(l, n, a, w)
	}
	values := make([]float64, n)
	var double []float64
	if Pick[T](false, true) {
		double = any(a).([]float64)
	} else {
		double = make([]float64, n*n)
		for i := range double {
			double[i] = float64(a[i])
		}
	}
	if err := gonumEigen(n, double, values); err != nil {
		return err
	}
	for i := range n * n {
		a[i] = T(double[i])
	}
	for i := range n {
		w[i] = T(values[i])
	}
	return nil
}

func gonumEigen(n int, a, w []float64) error {
	var size [1]float64
	gonumlapack.Implementation{}.Dsyev(lapack.EVCompute, gonumblas.Upper, n, a, n, w, size[:], -1)
	work := make([]float64, int(size[0]))
	if !(gonumlapack.Implementation{}.Dsyev(lapack.EVCompute, gonumblas.Upper, n, a, n, w, work, len(work))) {
		return errors.New("blas: the eigenvalues do not converge")
	}
	for i := range n { // gonum's eigenvectors are columns
		for j := range i {
			a[i*n+j], a[j*n+i] = a[j*n+i], a[i*n+j]
		}
	}
	return nil
}

// Inverse overwrites the symmetric positive definite n×n matrix a with its
// inverse, by Cholesky's decomposition. Where the library has no LAPACK, gonum
// does the work. An error (not positive definite, not finite) leaves a undefined.
func Inverse(n int, a []float64) error {
	fits(a, n, n, max(n, 1), "A")
	if n == 0 {
		return nil
	}
	if !allFinite(a) {
		return errors.New("blas: inverse of a matrix that is not finite")
	}
	ok := false
	if l, found := selected().impl.(foreign); found && l.lapack {
		ok = foreignInverse(l, n, a)
	} else {
		ok = gonumlapack.Implementation{}.Dpotrf(gonumblas.Upper, n, a, n) && gonumlapack.Implementation{}.Dpotri(gonumblas.Upper, n, a, n)
	}
	if !ok {
		return errors.New("blas: the matrix to invert is not positive definite")
	}
	for i := range n {
		for j := range i {
			a[i*n+j] = a[j*n+i]
		}
	}
	if !allFinite(a) {
		return errors.New("blas: the inverse is not finite")
	}
	return nil
}

func allFinite[T Float](x []T) bool {
	for _, v := range x {
		if d := v - v; d != 0 || math.IsNaN(float64(d)) {
			return false
		}
	}
	return true
}
