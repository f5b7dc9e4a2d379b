package rule

import (
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Products of upper triangular matrices equal those of all elements, over several blocks and
// beside a last one that is short; what is beside the matrices stays.
func TestTriangularProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 7, triangleBlock, 2*triangleBlock + 37} {
		const k = 5
		normal := func(size int) []float64 {
			x := make([]float64, size)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			return x
		}
		upper := func() []float64 {
			x := normal(n * n)
			for i := range n {
				clear(x[i*n : i*n+i])
			}
			return x
		}
		p, q, tall, wide, sum := upper(), upper(), normal(n*k), normal(k*n), upper()
		for _, trans := range []bool{false, true} {
			got, want := normal(n*k), make([]float64, n*k)
			upperLeft(trans, got, q, tall, n, k)
			blas.Gemm(trans, false, n, k, n, 1, q, n, tall, k, 0, want, k)
			near(t, "left", got, want)
			got, want = normal(k*n), make([]float64, k*n)
			upperRight(trans, got, wide, q, n, k)
			blas.Gemm(false, trans, k, n, n, 1, wide, n, q, n, 0, want, n)
			near(t, "right", got, want)
		}
		want := append([]float64(nil), sum...)
		blas.Gemm(false, false, n, n, n, -0.5, p, n, q, n, 1, want, n)
		upperProduct(sum, -0.5, p, q, n)
		near(t, "product", sum, want)
	}
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i, w := range want {
		if d := got[i] - w; !(d < 1e-10 && d > -1e-10) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(want), got[i], w)
		}
	}
}
