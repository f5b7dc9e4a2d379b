package blas

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/blas/gonum"
)

// implementations are those that the machine has.
func implementations() map[string]implementation {
	all := map[string]implementation{"gonum": gonum.Implementation{}, "own": own{}}
	for _, l := range libraries {
		if c, err := l.open(); err == nil {
			all[l.name] = c.impl
			large := c.impl.(foreign)
			large.large = true
			all[l.name+", large apo"] = large
			unsplit := c.impl.(foreign)
			unsplit.split = false
			all[l.name+", own threads"] = unsplit
		}
	}
	return all
}

// syrkShapes are on both sides of all borders.
var syrkShapes = [][2]int{{0, 3}, {3, 0}, {1, 1}, {5, 9}, {63, 200}, {64, 127}, {64, 128}, {65, 130}, {100, 300}, {131, 4100}, {200, 64}, {520, 20}, {1030, 8}}

// TestSyrkEqualsGemm compares both triangles with gonum's product of all elements, over
// transposes, α, β and rows longer than their matrix, and what is behind them stays.
func TestSyrkEqualsGemm(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, s := range syrkShapes {
		n, k := s[0], s[1]
		for _, trans := range []bool{false, true} {
			for _, beta := range []float64{0, 1, 0.5} {
				lda, ldc := max(k, 1)+2, max(n, 1)+3
				if trans {
					lda = max(n, 1) + 2
				}
				a, a32 := random(rng, max(n, k)*lda)
				c, c32 := random(rng, n*ldc)
				for i := range n {
					for j := range i {
						c[j*ldc+i], c32[j*ldc+i] = c[i*ldc+j], c32[i*ldc+j]
					}
				}
				want := slices.Clone(c)
				gemmBy(implementation(gonum.Implementation{}), trans, !trans, n, n, k, 0.25, a, lda, a, lda, beta, want, ldc)
				for name, impl := range implementations() {
					got, got32 := slices.Clone(c), slices.Clone(c32)
					syrkBy(impl, trans, n, k, 0.25, a, lda, beta, got, ldc)
					syrkBy(impl, trans, n, k, 0.25, a32, lda, float32(beta), got32, ldc)
					near(t, fmt.Sprintf("%s: %d×%d, transposed %v, β = %v", name, n, k, trans, beta), got32, got, want)
				}
			}
		}
	}
}

// TestSyrkHasGemmsBits is about the module's own products.
func TestSyrkHasGemmsBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 9))
	for _, s := range syrkShapes {
		n, k := s[0], s[1]
		a, a32 := random(rng, n*k)
		got, got32, want, want32 := make([]float64, n*n), make([]float32, n*n), make([]float64, n*n), make([]float32, n*n)
		gemmBy(implementation(own{}), true, false, n, n, k, 0.5, a, max(n, 1), a, max(n, 1), 0, want, max(n, 1))
		gemmBy(implementation(own{}), true, false, n, n, k, 0.5, a32, max(n, 1), a32, max(n, 1), 0, want32, max(n, 1))
		syrkBy(implementation(own{}), true, n, k, 0.5, a, max(n, 1), 0, got, max(n, 1))
		syrkBy(implementation(own{}), true, n, k, 0.5, a32, max(n, 1), 0, got32, max(n, 1))
		if !slices.Equal(got, want) || !slices.Equal(got32, want32) {
			t.Errorf("%d×%d: other bits than Gemm's", n, k)
		}
	}
}

func TestSyrkDoesNotDependOnCores(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 10))
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for name, impl := range implementations() {
		if f, ok := impl.(foreign); ok && !f.split {
			continue
		}
		for _, s := range syrkShapes[2:] {
			n, k := s[0], s[1]
			_, a := random(rng, n*k)
			var want []float32
			for _, cores := range []int{1, before} {
				runtime.GOMAXPROCS(cores)
				got := make([]float32, n*n)
				syrkBy(impl, false, n, k, 1, a, max(k, 1), 0, got, max(n, 1))
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d×%d: other bits on %d cores", name, n, k, cores)
				}
			}
		}
	}
}

func TestSyrkAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	a, c := make([]float32, 300*200), make([]float32, 300*300)
	run := func() { Syrk(false, 300, 200, 1, a, 200, 0, c, 300) }
	run()
	if n := testing.AllocsPerRun(100, run); n > 0.5 {
		t.Errorf("%v allocations", n)
	}
}

func TestSyrkRefusesShortSlices(t *testing.T) {
	for name, run := range map[string]func(){
		"A": func() { Syrk(false, 100, 100, 1, make([]float32, 9999), 100, 0, make([]float32, 10000), 100) },
		"C": func() { Syrk(true, 100, 100, 1, make([]float32, 10000), 100, 0, make([]float32, 9999), 100) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: a short slice was taken", name)
				}
			}()
			run()
		}()
	}
}

// BenchmarkSyrkOverGemm has the time of Syrk over that of Gemm, of the best calls made in
// turn.
func BenchmarkSyrkOverGemm(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 11))
	for _, s := range [][2]int{{64, 128}, {64, 2048}, {128, 128}, {144, 2048}, {256, 128}, {576, 2048}, {785, 128}, {1000, 128}, {1000, 784}, {1152, 2048}} {
		n, k := s[0], s[1]
		_, a := random(rng, n*k)
		c := make([]float32, n*n)
		for name, trans := range map[string]bool{"rows": false, "columns": true} {
			lda := k
			if trans {
				lda = n
			}
			b.Run(fmt.Sprintf("%dx%d/%s", n, k, name), func(b *testing.B) {
				best := [2]time.Duration{time.Hour, time.Hour}
				for range b.N {
					for i, f := range []func(){
						func() { Syrk(trans, n, k, 1, a, lda, 0, c, n) },
						func() { Gemm(trans, !trans, n, n, k, 1, a, lda, a, lda, 0, c, n) },
					} {
						start := time.Now()
						f()
						best[i] = min(best[i], time.Since(start))
					}
				}
				b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "syrk/gemm")
				b.ReportMetric(best[1].Seconds()*1e6, "gemm-µs")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
