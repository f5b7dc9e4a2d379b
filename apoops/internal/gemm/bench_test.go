package gemm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// timed are products of nets: dense layers, forward and back, of the size of a
// Transformer's and of smaller ones.
var timed = []struct {
	transA, transB bool
	m, n, k        int
}{
	{false, false, 1000, 1000, 1000},
	{false, false, 1024, 1024, 1024},
	{false, false, 4096, 512, 512},
	{false, false, 4096, 1024, 512},
	{false, false, 4096, 512, 1024},
	{true, false, 512, 512, 4096},
	{true, false, 512, 1024, 4096},
	{false, true, 4096, 10000, 512},
	{false, false, 128, 784, 1000},
	{false, true, 128, 1000, 784},
	{true, false, 784, 1000, 128},
	{false, false, 64, 64, 64},
	{false, false, 8, 8, 8},
}

// BenchmarkMultiply has the best speed of single calls: others may use the machine.
func BenchmarkMultiply(b *testing.B) {
	benchmark[float32](b, "float32")
	benchmark[float64](b, "float64")
}

func benchmark[T Float](b *testing.B, name string) {
	for _, s := range timed {
		r := rand.New(rand.NewPCG(1, 2))
		x := random(r, s.transA, s.transB, s.m, s.n, s.k, 0, false, heap[T])
		for cores, f := range map[string]func(transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int){
			"one": Serial[T], "all": Multiply[T],
		} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d/%v,%v/%s", name, s.m, s.n, s.k, s.transA, s.transB, cores), func(b *testing.B) {
				best := time.Hour
				for range b.N {
					start := time.Now()
					f(x.transA, x.transB, x.m, x.n, x.k, 1, x.a, x.lda, x.b, x.ldb, 0, x.c, x.ldc)
					best = min(best, time.Since(start))
				}
				b.ReportMetric(2*float64(s.m*s.n)*float64(s.k)/best.Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
