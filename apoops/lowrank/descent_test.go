package lowrank

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// stein is tr(CM) - log det C of a side for M = N + ρI.
func stein(p Matrix[float64], n []float64, rho float64) float64 {
	r := p.Core()
	c, m := matrix(r, r, p.C), matrix(r, r, n)
	m.Add(m, scaledIdentity(r, rho))
	det, _ := mat.LogDet(c)
	m.Mul(c, m)
	return mat.Trace(m) - det
}

// TestStepsLowerObjective takes steps on rows that change: for the averages N of a dense
// side each lowers tr(P(N + ρI)) - log det P, the approximated objective for probes that P
// whitens, averaged over the steps; for one set of rows they end at its least value in the
// family, P = (TᵀT + ρI)⁻¹ where the family has that.
func TestStepsLowerObjective(t *testing.T) {
	for _, s := range []Side{{12, 6}, {30, 5}} {
		const n, rho = 20, 0.05
		rng := rand.New(rand.NewPCG(7, 1))
		p, next := View(s, make([]float64, s.Len())), View(s, make([]float64, s.Len()))
		a, after := averages[float64](s), averages[float64](s)
		if !s.Dense() {
			Orthonormal(p.V, s, 3)
		}
		p.SetIdentity(1)
		xv := make([]float64, n*s.Core())
		var l Learner[float64]
		var m Multiplier[float64]
		var x, w []float64
		for step := range 400 {
			if step < 30 {
				x, w = random[float64](rng, n*s.Size), weights[float64](rng, n)
			}
			for i := range x {
				if !s.Dense() && i%s.Size >= s.Rank {
					x[i] = 0 // the family has the minimiser
				}
			}
			m.Project(xv, x, n, p)
			l.Step(next, after, p, a, x, xv, w, n, Step{Decay: 0.9, Oja: 0.5, Damping: rho})
			before, now := stein(p, after.N, rho), stein(next, after.N, rho)
			if s.Dense() && now > before+1e-9*math.Abs(before) {
				t.Errorf("%v, step %d: from %v to %v", s, step, before, now)
			}
			p, next, a, after = next, p, after, a
		}
		h := mat.NewDense(s.Size, s.Size, nil)
		for i := range n {
			row := mat.NewVecDense(s.Size, x[i*s.Size:(i+1)*s.Size])
			var outer mat.Dense
			outer.Outer(w[i]/n, row, row)
			h.Add(h, &outer)
		}
		h.Add(h, scaledIdentity(s.Size, rho))
		var product mat.Dense
		product.Mul(dense(p), h)
		if e := apart(&product, scaledIdentity(s.Size, 1)); e > 1e-6 {
			t.Errorf("%v: P·H is off I by %v", s, e)
		}
	}
}

// TestStepAllocatesNothing, from the second time on, nor does a multiplication.
func TestStepAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	if name, err := blas.Use(); err != nil || name == "gonum" {
		t.Skip("gonum's products start goroutines, and so allocate: ", err)
	}
	for _, s := range []Side{{300, 32}, {20, 32}} {
		const n = 40
		rng := rand.New(rand.NewPCG(7, 2))
		p, next := start[float32](rng, s), View(s, make([]float32, s.Len()))
		x, w, g := random[float32](rng, n*s.Size), weights[float32](rng, n), random[float32](rng, s.Size*s.Size)
		xv, y, u, q := make([]float32, n*s.Core()), make([]float32, len(x)), make([]float32, len(g)), make([]float32, n)
		a, after := averages[float32](s), averages[float32](s)
		var l Learner[float32]
		var m, rows, columns Multiplier[float32]
		run := func() {
			m.Project(xv, x, n, p)
			m.Quadratic(q, x, xv, n, p)
			rows.Rows(y, x, n, p)
			columns.Columns(y, x, n, p)
			m.Gradient(u, g, p, p)
			l.Step(next, after, p, a, x, xv, w, n, Step{Decay: 0.9, Oja: 0.5, Damping: 0.03})
		}
		run()
		if a := testing.AllocsPerRun(20, run); a > 0 {
			t.Errorf("%v: %v allocations", s, a)
		}
	}
}

// TestStepDoesNotDependOnCores compares the bits.
func TestStepDoesNotDependOnCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	s := Side{1001, 32}
	var want []float32
	for cores := 1; cores <= 3; cores++ {
		runtime.GOMAXPROCS(cores)
		var got []float32
		learn(rand.New(rand.NewPCG(8, 1)), s, 3, spectra[float32]()[1].draw, Step{Decay: 0.9, Oja: 0.5, Damping: 0.03}, func(p Matrix[float32]) {
			got = slices.Concat(got, p.V, p.C, p.P)
		})
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("other bits on %d cores than on one", cores)
		}
	}
}
