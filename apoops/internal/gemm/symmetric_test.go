package gemm

import (
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestSymmetricHasMultiplysBits compares both triangles and what lies between rows, at all
// levels of vector instructions, for C at any place within a line of memory.
func TestSymmetricHasMultiplysBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	shapes := [][2]int{{1, 1}, {2, 3}, {15, 9}, {16, 4}, {17, 20}, {31, 7}, {33, 40}, {48, 2}, {65, 30}, {100, 5}, {0, 4}, {4, 0}, {20, 1100}, {700, 3}}
	if slow() {
		shapes = shapes[:9]
	}
	for i, s := range shapes {
		compareSymmetric[float32](t, r, s[0], s[1], i%5)
		compareSymmetric[float64](t, r, s[0], s[1], i%5)
	}
}

func compareSymmetric[T Float](t *testing.T, r *rand.Rand, n, k, offset int) {
	t.Helper()
	for trans := range 2 {
		x := random(r, trans == 1, trans == 0, n, n, k, offset%3, offset%2 == 1, func(n int) []T { return make([]T, n+offset)[offset:] })
		x.b, x.ldb = x.a, x.lda
		for i := range n {
			for j := range i {
				x.c[j*x.ldc+i] = x.c[i*x.ldc+j]
			}
		}
		for _, l := range simd.Levels() {
			func() {
				defer simd.Set(simd.Set(l))
				want := x.got(heap[T], true)
				got := append(make([]T, offset), x.c...)[offset:]
				Symmetric(x.transA, n, k, x.alpha, x.a, x.lda, x.beta, got, x.ldc)
				if i := same(got, want); i >= 0 {
					t.Fatalf("%T, %v: %d×%d, transposed %v: element %d is %v, Multiply's %v", T(0), l, n, k, x.transA, i, got[i], want[i])
				}
			}()
		}
	}
}
