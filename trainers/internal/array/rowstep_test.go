package array_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// TestRowStep compares a step from rows with P_B·G·P_A.
func TestRowStep(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	var s array.RowStep[float64]
	for _, c := range []struct {
		n, in, out int
		bias       bool
	}{{5, 4, 3, false}, {70, 6, 9, true}, {33, 3, 2, true}} {
		draw := func(n int) []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			return x
		}
		inputs := c.in
		if c.bias {
			inputs--
		}
		r := graph.Rows{A: array.Matrix(draw(c.n*inputs), c.n, inputs), S: array.Matrix(draw(c.n*c.out), c.n, c.out), Bias: c.bias}
		g := make([]float64, c.in*c.out)
		graph.FormGradient(g, r)
		square := func(n int) []float64 {
			x, p := draw(n*n), make([]float64, n*n)
			blas.Gemm(true, false, n, n, n, 1, x, n, x, n, 0, p, n)
			return p
		}
		pb, pa := square(c.in), square(c.out)
		half, u := make([]float64, len(g)), make([]float64, len(g))
		blas.Gemm(false, false, c.in, c.out, c.in, 1, pb, c.in, g, c.out, 0, half, c.out)
		blas.Gemm(false, false, c.in, c.out, c.out, 1, half, c.out, pa, c.out, 0, u, c.out)

		s.Begin(r)
		blas.Gemm(false, false, c.n, c.in, c.in, 1, s.X, c.in, pb, c.in, 0, s.XP, c.in)
		blas.Gemm(false, false, c.n, c.out, c.out, 1, s.Z, c.out, pa, c.out, 0, s.ZP, c.out)
		m := draw(len(g))
		want := 0.0
		mean := append([]float64(nil), m...)
		s.Average(m, 0.9, 0.5)
		for i, v := range u {
			want += v * g[i]
			if d := 0.9*mean[i] + 0.5*v; math.Abs(m[i]-d) > 1e-12*float64(c.n)*(1+math.Abs(d)) {
				t.Fatalf("%+v: element %d is %v, want %v", c, i, m[i], d)
			}
		}
		if got := s.Product(); math.Abs(got-want) > 1e-12*float64(c.n)*math.Abs(want) {
			t.Errorf("%+v: <U, G> = %v, want %v", c, got, want)
		}
	}
}

// TestRowsNorm compares the bound with the norm of the gradient: it is the norm of one
// row, and not below that of several.
func TestRowsNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for _, n := range []int{1, 5} {
		a, s := make([]float32, n*3), make([]float32, n*2)
		for _, x := range [][]float32{a, s} {
			for i := range x {
				x[i] = float32(rng.NormFloat64())
			}
		}
		r := graph.Rows{A: array.Matrix(a, n, 3), S: array.Matrix(s, n, 2), Bias: true}
		g := make([]float32, 8)
		graph.FormGradient(g, r)
		other := array.Vector([]float32{2})
		norm := math.Sqrt(array.SumSquares(array.Vector(g), other))
		bound := array.RowsNorm([]*tensor.Dense{nil, other}, []graph.Rows{r, {}})
		if !(bound >= norm*(1-1e-6)) || (n == 1 && bound > norm*(1+1e-6)) {
			t.Errorf("%d rows: bound %v of %v", n, bound, norm)
		}
	}
}

// TestRowsCheaper has a layer of 1001×1000 with a dense P, and one with P of rank 32.
func TestRowsCheaper(t *testing.T) {
	for _, c := range []struct {
		n, in, out, perIn, perOut int
		want                      bool
	}{
		{128, 1001, 1000, 1001 * 1001, 1000 * 1000, true},
		{128, 1001, 1000, 64 * 1001, 64 * 1000, true},
		{1000, 1001, 500, 64 * 1001, 64 * 500, false},
		{128, 1001, 10, 1001 * 1001, 100, false},
	} {
		if got := array.RowsCheaper(c.n, c.in, c.out, c.perIn, c.perOut); got != c.want {
			t.Errorf("%+v", c)
		}
	}
}
