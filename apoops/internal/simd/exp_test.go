package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTable compares the table with powers of 2.
func TestTable(t *testing.T) {
	for i, b := range expTable {
		got, want := math.Float64frombits(b+uint64(i)<<47), math.Exp2(float64(i)/expSteps)
		if math.Abs(got-want) > want*0x1p-52 {
			t.Errorf("2^(%d/32) is %v, want %v", i, got, want)
		}
	}
}

// TestExpError checks the stated relative errors, and sums on both sides of
// Sequential.
func TestExpError(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, l := range Levels() {
		defer Set(Set(l))
		for n := 1; n < 100; n++ {
			z, want := make([]float32, n), 0.
			for i := range z {
				z[i] = 100 * (r.Float32() - 0.5)
				want += math.Exp(float64(z[i]) - 3)
			}
			dst, block := make([]float32, n), make([]float64, n)
			ExpBlock(block, z, 3)
			for i, e := range block {
				if one := math.Exp(float64(z[i]) - 3); math.Abs(e-one) > one*0x1p-39 {
					t.Fatalf("%v: e^(%v-3) is %v, want %v", l, z[i], e, one)
				}
			}
			for _, sum := range []float64{SumExp(z, 3), ExpRow(dst, z, 3)} {
				if math.Abs(sum-want) > want*0x1p-39 {
					t.Fatalf("%v: the sum of %d is %v, want %v", l, n, sum, want)
				}
			}
		}
	}
}

// TestShortSums: the sum of fewer elements than Sequential is made from the first to
// the last.
func TestShortSums(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for _, l := range Levels() {
		defer Set(Set(l))
		for n := range Sequential {
			z := random(r, make([]float32, n), false)
			want := 0.
			for _, v := range z {
				want += Exp(float64(v) - 1)
			}
			if got, row := SumExp(z, 1), ExpRow(make([]float32, n), z, 1); got != want || row != want {
				t.Errorf("%v: %d elements: %v and %v, want %v", l, n, got, row, want)
			}
		}
	}
}

func TestMax(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, l := range Levels() {
		defer Set(Set(l))
		for _, n := range []int{1, 5, 8, 31, 33, 64, 200} {
			z := make([]float32, n)
			for at := range z {
				for i := range z {
					z[i] = -7
				}
				if z[at] = 3; Max(z) != 3 {
					t.Fatalf("%v: %d elements, the largest at %d: %v", l, n, at, Max(z))
				}
				for i := range z {
					z[i] = nan
				}
				if z[at] = -2; Max(z) != -2 {
					t.Fatalf("%v: %d elements, a number at %d: %v", l, n, at, Max(z))
				}
				if z[at] = nan; Max(z) != -inf {
					t.Fatalf("%v: %d NaNs: %v", l, n, Max(z))
				}
				for i := range z {
					z[i] = float32(math.Copysign(0, -1))
				}
				if Max(z) != 0 || math.Signbit(float64(Max(z))) {
					t.Fatalf("%v: the largest of %d times -0 is -0", l, n)
				}
			}
		}
	}
}
