package blas

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pkg/errors"
)

// gram is a positive definite n×n matrix.
func gram(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n*n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	a := make([]float64, n*n)
	for i := range n {
		for j := range n {
			for k := range n {
				a[i*n+j] += x[k*n+i] * x[k*n+j]
			}
		}
		a[i*n+i] += 0.1
	}
	return a
}

func TestEigenRebuildsMatrix(t *testing.T) {
	for _, n := range []int{1, 2, 7, 40} {
		checkEigen[float64](t, n, 1e-12)
		checkEigen[float32](t, n, 1e-5)
	}
}

func checkEigen[T Float](t *testing.T, n int, tol float64) {
	t.Helper()
	a := gram(n, uint64(n))
	u, w := make([]T, n*n), make([]T, n)
	for i, v := range a {
		u[i] = T(v)
	}
	if err := Eigen(n, u, w); err != nil {
		t.Fatal(err)
	}
	scale := float64(w[n-1])
	for i := range n {
		if i > 0 && w[i] < w[i-1] {
			t.Fatalf("%d: eigenvalues %v are not in order", n, w)
		}
		for j := range n {
			var sum, inner float64
			for k := range n {
				sum += float64(u[k*n+i]) * float64(w[k]) * float64(u[k*n+j])
				inner += float64(u[i*n+k]) * float64(u[j*n+k])
			}
			if math.Abs(sum-a[i*n+j]) > tol*scale {
				t.Fatalf("%d: UᵀwU has %v at (%d, %d), not %v", n, sum, i, j, a[i*n+j])
			}
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(inner-want) > tol {
				t.Fatalf("%d: rows %d and %d of U have the inner product %v", n, i, j, inner)
			}
		}
	}
}

func TestInverseTimesMatrixIsIdentity(t *testing.T) {
	for _, n := range []int{1, 2, 7, 40} {
		a := gram(n, uint64(n))
		b := append([]float64(nil), a...)
		if err := Inverse(n, b); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				var sum float64
				for k := range n {
					sum += a[i*n+k] * b[k*n+j]
				}
				want := 0.0
				if i == j {
					want = 1
				}
				if math.Abs(sum-want) > 1e-10 {
					t.Fatalf("%d: A·A⁻¹ has %v at (%d, %d)", n, sum, i, j)
				}
			}
		}
	}
}

// TestLapackEqualsGonum compares the library's decompositions with gonum's.
func TestLapackEqualsGonum(t *testing.T) {
	l, ok := selected().impl.(foreign)
	if !ok || !l.lapack {
		t.Skip("no LAPACK was found")
	}
	const n = 23
	a := gram(n, 3)
	u, w := append([]float64(nil), a...), make([]float64, n)
	v, x := append([]float64(nil), a...), make([]float64, n)
	if err := foreignEigen(l, n, u, w); err != nil {
		t.Fatal(err)
	}
	if err := gonumEigen(n, v, x); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var inner float64
		for k := range n {
			inner += u[i*n+k] * v[i*n+k]
		}
		if math.Abs(w[i]-x[i]) > 1e-12*w[n-1] || math.Abs(math.Abs(inner)-1) > 1e-8 {
			t.Errorf("eigenvalue %d is %v and %v, the vectors' inner product %v", i, w[i], x[i], inner)
		}
	}
}

func TestDecompositionsRefuse(t *testing.T) {
	for name, a := range map[string][]float64{
		"indefinite": {1, 2, 2, 1},
		"singular":   {1, 1, 1, 1},
		"zero":       {0, 0, 0, 0},
		"NaN":        {math.NaN(), 0, 0, 1},
		"infinite":   {math.Inf(1), 0, 0, 1},
	} {
		b := append([]float64(nil), a...)
		if err := Inverse(2, b); err == nil {
			t.Errorf("%s: the inverse is %v", name, b)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		if err := Eigen(2, []float64{bad, 0, 0, 1}, make([]float64, 2)); err == nil {
			t.Errorf("eigenvalues of a matrix with %v", bad)
		}
	}
}

// TestDecompositionsOnSmallStacks runs decompositions in fresh goroutines, whose
// stacks move as they grow: the library must not be given addresses on them.
func TestDecompositionsOnSmallStacks(t *testing.T) {
	var deep func(n int) error
	deep = func(n int) error {
		var pad [64]byte
		if n > 0 {
			pad[n%64] = 1
			return deep(n - 1)
		}
		if err := Inverse(2, []float64{1, 2, 2, 1}); err == nil {
			return errors.New("an indefinite matrix was inverted")
		}
		a, w := []float64{2, 1, 1, 2}, make([]float64, 2)
		if err := Eigen(2, a, w); err != nil {
			return err
		}
		if math.Abs(w[0]-1) > 1e-14 || math.Abs(w[1]-3) > 1e-14 {
			return errors.Errorf("eigenvalues %v of a matrix with 1 and 3", w)
		}
		return nil
	}
	for i := range 2000 {
		done := make(chan error)
		go func() { done <- deep(i % 100) }()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
