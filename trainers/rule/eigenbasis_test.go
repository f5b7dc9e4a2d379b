package rule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestOrthonormalise compares rows with those of Gram and Schmidt, row by row, on both sides of
// a panel's end, and looks at their inner products.
func TestOrthonormalise(t *testing.T) {
	for _, n := range []int{1, 2, panel - 1, panel, panel + 1, 2*panel + 5} {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		s, naive := make([]float64, n*n), make([]float64, n*n)
		for i := range s {
			s[i] = rng.NormFloat64()
		}
		copy(naive, s)
		for i := range n {
			row := naive[i*n : (i+1)*n]
			for j := range i {
				other := naive[j*n : (j+1)*n]
				c := 0.0
				for k, v := range row {
					c += v * other[k]
				}
				for k := range row {
					row[k] -= c * other[k]
				}
			}
			length := 0.0
			for _, v := range row {
				length += v * v
			}
			for k := range row {
				row[k] /= math.Sqrt(length)
			}
		}
		if !orthonormalise(s, n) {
			t.Fatalf("n = %d: no basis", n)
		}
		for i, v := range s {
			if math.Abs(v-naive[i]) > 1e-9 {
				t.Fatalf("n = %d: element %d is %v, want %v", n, i, v, naive[i])
			}
		}
		if n > panel { // a row that depends on those of another panel: two rounds
			copy(s[(n-1)*n:], s[:n])
			for i := range n {
				s[(n-1)*n+i] += 1e-9 * rng.NormFloat64()
			}
			for range 2 {
				if !orthonormalise(s, n) {
					t.Fatalf("n = %d: no basis", n)
				}
			}
			if p := inner(s[:n], s[(n-1)*n:]); math.Abs(p) > 1e-14 {
				t.Errorf("n = %d: the product of the last row with the first is %v", n, p)
			}
		}
		zero := make([]float64, n*n)
		if orthonormalise(zero, n) {
			t.Errorf("n = %d: a basis of zeros", n)
		}
	}
}

func inner(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// BenchmarkIterate is the turn of a basis of SOAP.
func BenchmarkIterate(b *testing.B) {
	for _, n := range []int{101, 785} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			basis, g := newEigenbasis[float32](n), make([]float32, n*n)
			for i := range g {
				g[i] = float32(rng.NormFloat64())
			}
			basis.add(false, g, n, 0)
			for b.Loop() {
				basis.iterate()
			}
		})
	}
}
