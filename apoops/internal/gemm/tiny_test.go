package gemm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestBelowTheNormalRange: numbers below it count as 0, as operands and as results, with
// their signs; a result counts that is below it when rounded to all its digits.
func TestBelowTheNormalRange(t *testing.T) {
	inf, zero, minus := math.Inf(1), 0.0, math.Copysign(0, -1)
	for _, c := range []struct{ x, y, want float64 }{
		{1, 0x1p-126, 0x1p-126}, {1 - 0x1p-24, 0x1p-126, zero}, {1 - 0x1p-24, -0x1p-126, minus}, {1 - 0x1p-13, 0x1p-126 * (1 + 0x1p-13), 0x1p-126},
		{0x1p-130, 1, zero}, {0x1p-149, 0x1p100, zero}, {-0x1p-130, 0x1p100, zero}, {0x1p-70, 0x1p-60, zero}, {inf, 0x1p-130, math.NaN()},
	} {
		tiny(t, float32(c.x), float32(c.y), float32(c.want))
	}
	for _, c := range []struct{ x, y, want float64 }{
		{1, 0x1p-1022, 0x1p-1022}, {1 - 0x1p-53, 0x1p-1022, zero}, {1 - 0x1p-27, 0x1p-1022 * (1 + 0x1p-27), 0x1p-1022}, {0x1p-1074, 0x1p1000, zero},
		{-0x1p-600, 0x1p-430, minus}, {inf, 0x1p-1030, math.NaN()},
	} {
		tiny(t, c.x, c.y, c.want)
	}
}

// tiny checks x·y as a product of matrices of one element, α·1·1 and 1·1 + β·0 at all levels.
func tiny[T Float](t *testing.T, x, y, want T) {
	t.Helper()
	one := []T{1}
	for _, l := range simd.Levels() {
		func() {
			defer simd.Set(simd.Set(l))
			product, scaled, kept := []T{0}, []T{0}, []T{x}
			Multiply(false, false, 1, 1, 1, 1, []T{x}, 1, []T{y}, 1, 0, product, 1)
			Multiply(false, false, 1, 1, 1, y, []T{x}, 1, one, 1, 0, scaled, 1)
			Multiply(false, false, 1, 1, 1, 1, []T{0}, 1, one, 1, y, kept, 1)
			if same(product, []T{want}) >= 0 || same(scaled, []T{want}) >= 0 || same(kept, []T{want}) >= 0 && want != 0 {
				t.Errorf("%v: %v·%v is %v, by α %v, by β %v, want %v", l, x, y, product[0], scaled[0], kept[0], want)
			}
		}()
	}
}

// TestBitsNearTheNormalRange is TestBits where many products and sums are just above or just
// below the least normal number.
func TestBitsNearTheNormalRange(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	near := func(at int) float64 { return math.Ldexp(r.NormFloat64(), at+r.IntN(3)-1) }
	for range 300 {
		at := func(exponent int, x []float64) []float64 {
			for i := range x {
				x[i] = near(exponent)
			}
			return x
		}
		nearBits[float64](t, at(-511, make([]float64, 6)), at(-511, make([]float64, 9)), at(-1022, make([]float64, 6)))
		nearBits[float32](t, at(-63, make([]float64, 6)), at(-63, make([]float64, 9)), at(-126, make([]float64, 6)))
	}
}

func nearBits[T Float](t *testing.T, a, b, c []float64) {
	t.Helper()
	convert := func(x []float64) []T {
		y := make([]T, len(x))
		for i, v := range x {
			y[i] = T(v)
		}
		return y
	}
	x := &operands[T]{m: 2, n: 3, k: 3, alpha: 1, beta: 1, a: convert(a), b: convert(b), c: convert(c), lda: 3, ldb: 3, ldc: 3}
	want := x.want()
	for _, l := range simd.Levels() {
		func() {
			defer simd.Set(simd.Set(l))
			got := x.got(heap[T], false)
			if i := same(got, want); i >= 0 {
				t.Fatalf("%T, %v: element %d is %v, want %v", T(0), l, i, got[i], want[i])
			}
		}()
	}
}

// TestProcessorsStateIsRestored: after a product numbers below the normal range are what they
// were.
func TestProcessorsStateIsRestored(t *testing.T) {
	x := []float32{1e-30}
	Multiply(false, false, 1, 1, 1, 1, x, 1, x, 1, 0, []float32{0}, 1)
	if y := x[0] * 1e-10; y == 0 {
		t.Error("Go's products are flushed to 0")
	}
}
