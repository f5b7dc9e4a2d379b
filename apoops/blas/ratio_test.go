package blas

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
)

// inRow is the number of calls in a row.
const inRow = 4

// BenchmarkOwnOverLibrary has the time of the module's own products over that of the
// library's, of the best calls made in turn, some of each in a row, since one pays for what
// the other leaves behind in caches and threads, on all cores and on one.
func BenchmarkOwnOverLibrary(b *testing.B) {
	ratios(b, "float32", system(b), func(x operand) (p, q, c []float32) { return x.a32, x.b32, x.c32 })
	ratios(b, "float64", system(b), func(x operand) (p, q, c []float64) { return x.a, x.b, x.c })
}

func ratios[T Float](b *testing.B, name string, library foreign, arrays func(operand) (p, q, c []T)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{
		{16, 16, 16}, {24, 24, 24}, {48, 48, 48}, {100, 100, 100}, {128, 10, 100}, {128, 32, 200}, {150, 32, 32}, {100, 20, 100}, {100, 100, 20}, {20, 100, 100}, {128, 84, 10}, {32, 1000, 32},
		{32, 32, 32}, {64, 64, 64}, {96, 96, 96}, {128, 128, 128}, {192, 192, 192}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024},
		{1024, 10, 1000}, {1000, 10, 1024}, {128, 10, 1000}, {1024, 32, 1000}, {1024, 64, 1000}, {1024, 100, 1000}, {128, 64, 1000}, {128, 84, 120}, {128, 120, 400},
		{10, 1024, 1000}, {32, 1024, 1000}, {64, 1024, 1000},
		{1000, 1000, 10}, {1000, 1000, 32}, {1000, 1000, 64}, {1000, 1000, 128}, {150, 16, 12800}, {16, 64, 12800}, {64, 64, 4096}, {256, 576, 4096}, {64, 576, 4096}, {16, 144, 8192},
		{64, 27, 32768}, {1, 1000, 1000}, {1000, 1, 1000}, {100, 1000, 784}, {784, 1000, 100},
	} {
		for i, x := range operands(rng, s[0], s[1], s[2]) {
			if i == 3 {
				continue
			}
			p, q, c := arrays(x)
			ta, tb := x.ta == 'T', x.tb == 'T'
			all := [2]func(){
				func() { gemm.Multiply(ta, tb, x.m, x.n, x.k, 1, p, x.lda, q, x.ldb, 0, c, x.ldc) },
				func() { gemmBy(library, ta, tb, x.m, x.n, x.k, 1, p, x.lda, q, x.ldb, 0, c, x.ldc) },
			}
			one := [2]func(){
				func() { gemm.Serial(ta, tb, x.m, x.n, x.k, 1, p, x.lda, q, x.ldb, 0, c, x.ldc) },
				func() { foreignSerial(library, ta, tb, x.m, x.n, x.k, 1, p, x.lda, q, x.ldb, 0, c, x.ldc) },
			}
			for place, pair := range map[string][2]func(){"all": all, "one": one} {
				b.Run(fmt.Sprintf("%s/%dx%dx%d/%c%c/%s", name, s[0], s[1], s[2], x.ta, x.tb, place), func(b *testing.B) {
					best := [2]time.Duration{time.Hour, time.Hour}
					for range b.N {
						for i, f := range pair {
							for range inRow {
								start := time.Now()
								f()
								best[i] = min(best[i], time.Since(start))
							}
						}
					}
					b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "own/library")
					b.ReportMetric(best[0].Seconds()*1e6, "own-µs")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
