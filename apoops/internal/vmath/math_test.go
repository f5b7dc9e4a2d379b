package vmath

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// ulps is the distance of two float32 in units of the last place; NaNs are
// equal.
func ulps(a, b float32) int64 {
	if a != a || b != b {
		if a != a && b != b {
			return 0
		}
		return math.MaxInt64
	}
	d := ordinal(a) - ordinal(b)
	return max(d, -d)
}

// ordinal numbers the float32 in rising order; both zeros are 0.
func ordinal(x float32) int64 {
	b := int64(math.Float32bits(x) & 0x7fffffff)
	if math.Signbit(float64(x)) {
		return -b
	}
	return b
}

// TestFloat32Functions compares the float32 functions with package math over a
// stride through all bit patterns, which meets every exponent, infinities and
// NaNs; and near zero and the borders of overflow and underflow one by one. It does so
// at every level of package simd.
func TestFloat32Functions(t *testing.T) {
	functions := []struct {
		name string
		fast func(z []float32)
		want func(z float64) float64
	}{
		{"exp", exp32s, math.Exp},
		{"sigmoid", Sigmoids[float32], sigmoid},
		{"tanh", Tanhs[float32], math.Tanh},
	}
	stride := uint64(211)
	if testing.Short() {
		stride = 99991
	}
	const block = 1024
	in, out, want := make([]float32, 0, block), make([]float32, block), make([]float32, block)
	for _, f := range functions {
		var worst int64
		check := func() {
			for i, z := range in {
				want[i] = float32(f.want(float64(z)))
			}
			for _, l := range simd.Levels() {
				before := simd.Set(l)
				copy(out, in)
				f.fast(out[:len(in)])
				simd.Set(before)
				for i, z := range in {
					d := ulps(out[i], want[i])
					worst = max(worst, d)
					if d > 1 || math.Signbit(float64(out[i])) != math.Signbit(float64(want[i])) && z == z {
						t.Fatalf("%v: %s(%v) = %v, want %v", l, f.name, z, out[i], want[i])
					}
				}
			}
			in = in[:0]
		}
		add := func(z float32) {
			if in = append(in, z); len(in) == block {
				check()
			}
		}
		for b := uint64(0); b < 1<<32; b += stride {
			add(math.Float32frombits(uint32(b)))
		}
		for _, around := range []float32{0, 1e-38, 0.01, 0.02, 9, 20, 88.72284, 87.33655, 103.27893, 103.97208, 150, 350, 700, math.MaxFloat32, float32(math.Inf(1))} {
			for k := -300; k <= 300; k++ {
				z := math.Float32frombits(uint32(int64(math.Float32bits(around)) + int64(k)))
				add(z)
				add(-z)
			}
		}
		add(float32(math.NaN()))
		check()
		t.Logf("%s: at most %d ulp", f.name, worst)
	}
}

// exp32s is Exps for float32 arguments and results.
func exp32s(z []float32) {
	var b [1024]float64
	for i, v := range z {
		b[i] = float64(v)
	}
	Exps[float32](b[:len(z)])
	for i := range z {
		z[i] = float32(b[i])
	}
}

// TestExpErrors checks the stated relative errors of Exps and simd.ExpParts.
func TestExpErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for range 200000 {
		z := 1400 * (rng.Float64() - 0.5)
		b := []float64{z}
		Exps[float32](b)
		if want := math.Exp(z); math.Abs(b[0]-want) > want/(1<<39) {
			t.Fatalf("exp(%v) = %v, want %v", z, b[0], want)
		}
		small := z * 1e-6 / 70
		if s, p := simd.ExpParts(small); s != 1 || math.Abs(p-math.Expm1(small)) > math.Abs(small)/(1<<32) {
			t.Fatalf("expm1(%v) = %v, want %v", small, p, math.Expm1(small))
		}
	}
}

// TestSumLog1p compares the sum with that of package math, added up in 200 bits: of numbers
// far below the distance from 1 to the next, of all magnitudes, and of the largest.
func TestSumLog1p(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	draws := map[string]func() float64{
		"zero":  func() float64 { return 0 },
		"tiny":  func() float64 { return 1e-300 * rng.Float64() },
		"small": func() float64 { return 1e-17 * rng.Float64() },
		"any":   func() float64 { return math.Exp(-40 * rng.Float64()) },
		"large": func() float64 { return 1 - rng.Float64()/8 },
		"one":   func() float64 { return 1 },
	}
	for name, draw := range draws {
		for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 64, 127, 128, 1000} {
			x, want := make([]float64, n), new(big.Float).SetPrec(200)
			for i := range x {
				x[i] = draw()
				want.Add(want, big.NewFloat(math.Log1p(x[i])))
			}
			exact, _ := want.Float64()
			if got := SumLog1p(x); math.Abs(got-exact) > (4+float64(n)/2)*0x1p-53*exact {
				t.Errorf("%s, %d: %v, want %v", name, n, got, exact)
			}
		}
	}
	if got := SumLog1p([]float64{1, math.NaN(), 0}); got == got {
		t.Errorf("with NaN: %v", got)
	}
}

func BenchmarkSumLog1p(b *testing.B) {
	x := make([]float64, 128)
	for i := range x {
		x[i] = float64(i) / 128
	}
	var sum float64
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			for _, v := range x {
				sum += Log1p(v)
			}
		}
	})
	b.Run("product", func(b *testing.B) {
		for b.Loop() {
			sum += SumLog1p(x)
		}
	})
}
