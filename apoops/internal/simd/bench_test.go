package simd

import (
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkRoutines measures each routine on a row of n elements at the levels of the
// processor, and how many times as fast as Go's twin it is.
func BenchmarkRoutines(b *testing.B) {
	for _, f := range timed {
		for _, n := range []int{25, 512, 8192} {
			call, twin := f.prepare(n), 0.
			for _, l := range Levels() {
				b.Run(f.name+"/"+sizeName(n)+"/"+l.String(), func(b *testing.B) {
					defer Set(Set(l))
					start := time.Now()
					for range b.N {
						call()
					}
					each := time.Since(start).Seconds() / float64(b.N)
					if l == Off {
						twin = each
					}
					b.ReportMetric(each*1e9/float64(n), "ns/element")
					b.ReportMetric(twin/each, "twin/this")
				})
			}
		}
	}
}

func sizeName(n int) string {
	switch n {
	case 25:
		return "short"
	case 512:
		return "middle"
	}
	return "long"
}

// timed are the routines that are measured; prepare makes the operands.
var timed = []struct {
	name    string
	prepare func(n int) func()
}{
	{"ExpBlock", func(n int) func() {
		z, dst := normal(n), make([]float64, n)
		return func() { ExpBlock(dst, z, 3) }
	}},
	{"ExpRow", func(n int) func() {
		z, dst := normal(n), make([]float32, n)
		return func() { ExpRow(dst, z, 3) }
	}},
	{"MaxPairs", func(n int) func() {
		y, a, b := make([]float32, n), normal(2*n), normal(2*n)
		return func() { MaxPairs(y, a, b) }
	}},
	{"MaxPairsGrad", func(n int) func() {
		y, a, b, da, db := make([]float32, n), normal(2*n), normal(2*n), make([]float32, 2*n), make([]float32, 2*n)
		MaxPairs(y, a, b)
		return func() { MaxPairsGrad(da, db, a, b, y, y) }
	}},
	{"SumExp", func(n int) func() {
		z := normal(n)
		return func() { SumExp(z, 3) }
	}},
	{"ExpLess", func(n int) func() {
		z, dst := normal(n), make([]float32, n)
		return func() { ExpLess(dst, z, 3, 0.1, 2) }
	}},
	{"SoftmaxGrad", func(n int) func() {
		dx, y, dy := normal(n), normal(n), normal(n)
		return func() { SoftmaxGrad(dx, y, dy) }
	}},
	{"AverageSquares", func(n int) func() {
		v, x := normal(n), normal(n)
		return func() { AverageSquares(v, x, 0.9, 0.1) }
	}},
	{"DivideByRoots", func(n int) func() {
		y, x, v := normal(n), normal(n), normal(n)
		AverageSquares(v, v, 0, 1)
		return func() { DivideByRoots(y, x, v, 1, 1, 1e-8) }
	}},
	{"Sum", func(n int) func() {
		x := normal(n)
		return func() { Sum(x) }
	}},
	{"Squares", func(n int) func() {
		x := normal(n)
		return func() { Squares(x, 3) }
	}},
	{"NormSums", func(n int) func() {
		dgain, dshift, x, dy, gain := normal(n), normal(n), normal(n), normal(n), normal(n)
		return func() { NormSums(dgain, dshift, x, dy, gain, 1, 2) }
	}},
	{"NormGrad", func(n int) func() {
		dx, x, dy, gain := normal(n), normal(n), normal(n), normal(n)
		return func() { NormGrad(dx, x, dy, gain, 1, 2, 3, 4) }
	}},
	{"Normalise", func(n int) func() {
		y, x, gain, shift := normal(n), normal(n), normal(n), normal(n)
		return func() { Normalise(y, x, gain, shift, 1, 2) }
	}},
	{"DropOut", func(n int) func() {
		x, y := normal(n), normal(n)
		return func() { DropOut(y, x, 1, 1<<62, 1.5) }
	}},
	{"Add", func(n int) func() {
		a, b, y := normal(n), normal(n), normal(n)
		return func() { Add(y, a, b) }
	}},
	{"ReLU", func(n int) func() {
		y := normal(n)
		return func() { ReLU(y) }
	}},
	{"WherePositive", func(n int) func() {
		dz, y, dy := normal(n), normal(n), normal(n)
		return func() { WherePositive(dz, y, dy) }
	}},
	{"AddRows", func(n int) func() { // 32 of them
		y, a, f := normal(n), normal(32*n), normal(32)
		return func() { AddRows(y, a, f, n) }
	}},
	{"MaxAbs", func(n int) func() {
		x := normal(n)
		return func() { MaxAbs(x) }
	}},
	{"Max", func(n int) func() {
		z := normal(n)
		return func() { Max(z) }
	}},
}

func normal(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	z := make([]float32, n)
	for i := range z {
		z[i] = float32(r.NormFloat64())
	}
	return z
}
