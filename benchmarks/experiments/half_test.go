package experiments

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// Without rounding the steps are those of package lowrank, and Cholesky's inverse is
// the inverse.
func TestHalfSideIsThatOfLowRank(t *testing.T) {
	const m, r, n = 12, 4, 9
	rng := rand.New(rand.NewPCG(1, 1))
	side := lowrank.Side{Size: m, Rank: r}
	p, next := lowrank.View(side, make([]float64, side.Len())), lowrank.View(side, make([]float64, side.Len()))
	lowrank.Orthonormal(p.V, side, 3)
	p.SetIdentity(0.5)
	s := &halfSide{arithmetic: arithmetic{exact: true}, v: mat.NewDense(m, r, append([]float64(nil), p.V...)), c: mat.NewDense(r, r, append([]float64(nil), p.C...)), p: p.P[0]}
	sums, after := lowrank.ViewAverage(side, make([]float64, side.AverageLen())), lowrank.ViewAverage(side, make([]float64, side.AverageLen()))
	var learner lowrank.Learner[float64]
	var multiplier lowrank.Multiplier[float64]
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	for range 5 {
		x, xv := gaussian(rng, n, m), make([]float64, n*r)
		multiplier.Project(xv, x.RawMatrix().Data, n, p)
		learner.Step(next, after, p, sums, x.RawMatrix().Data, xv, ones, n, lowrank.Step{Decay: 0.7, Oja: 0.5, Damping: 0.03})
		p, next, sums, after = next, p, after, sums
		s.step(x, 0.7, 0.5, 0.03)
	}
	x := gaussian(rng, n, m)
	want := mat.NewDense(n, m, nil)
	multiplier.Rows(want.RawMatrix().Data, x.RawMatrix().Data, n, p)
	var difference mat.Dense
	difference.Sub(s.times(x), want)
	if d := mat.Norm(&difference, 2) / mat.Norm(want, 2); !(d < 1e-6) {
		t.Errorf("X·P is off by %v", d)
	}
	spd := mat.NewDense(m, m, nil)
	spd.Mul(gaussian(rng, m, 2*m), gaussian(rng, 2*m, m))
	spd.Mul(spd, mat.DenseCopyOf(spd.T()))
	inverse, ok := s.inverse(spd)
	var product mat.Dense
	product.Mul(inverse, spd)
	product.Sub(&product, identity(m))
	if d := mat.Norm(&product, 2); !ok || !(d < 1e-6) {
		t.Errorf("the inverse is off by %v", d)
	}
	if _, ok := s.inverse(mat.NewDense(2, 2, []float64{1, 2, 2, 1})); ok {
		t.Error("a matrix that is not positive was inverted")
	}
}

// At a large damping both methods are stable; in bfloat16 at a tiny one KFAC is not.
func TestHalfPrecision(t *testing.T) {
	c := halfCase{inputs: 24, rank: 6, steps: 60, seeds: 1}
	var h Half
	for _, d := range []float64{1e-1, 1e-9} {
		rows, err := c.at(context.Background(), 1e4, d)
		if err != nil {
			t.Fatal(err)
		}
		h.Rows = append(h.Rows, rows...)
	}
	for _, f := range []apoops.Format{apoops.Float16, apoops.BFloat16} {
		for _, method := range []string{halfLowRank, halfKFAC} {
			if h.least(f.String(), method, 1e4) > 0.1 {
				t.Errorf("%v: %s is not stable at a damping of 0.1: %+v", f, method, h.Rows)
			}
		}
	}
	if h.least("bfloat16", halfKFAC, 1e4) != 0.1 {
		t.Errorf("KFAC is stable in bfloat16 at a damping of 1e-9: %+v", h.Rows)
	}
	text, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	r, err := halfPrecision{}.Decode(text)
	if err != nil || len(r.(*Half).Rows) != len(h.Rows) || len(r.Figures("t")) != 2 || len(r.Figures("t")[1].Chart.Lines) != 4 {
		t.Errorf("decoded to %+v: %v", r, err)
	}
	if _, err := (halfPrecision{}).Decode([]byte("{}")); err == nil {
		t.Error("a result without rows was decoded")
	}
	var fabricated Half
	for _, spread := range halfSpreads {
		for i, f := range halfFormats {
			less := []float64{1.5, 0}[i] // of the low-rank form at the smaller damping
			fabricated.Rows = append(fabricated.Rows, HalfRow{f.String(), halfLowRank, spread, 1e-4, 1}, HalfRow{f.String(), halfKFAC, spread, 1e-4, 1},
				HalfRow{f.String(), halfLowRank, spread, 1e-5, less}, HalfRow{f.String(), halfKFAC, spread, 1e-5, 2.5})
		}
	}
	for i, claim := range (halfPrecision{}).Claims() {
		if holds, words := claim.Decide(&fabricated); holds != (i%2 == 0) || holds != (words == "stable from a damping of 1e-05 on, KFAC from 0.0001") {
			t.Errorf("%s: %v, %s", claim.Text, holds, words)
		}
	}
	if f := factorOf(mat.NewDense(1, 1, []float64{math.NaN()}), identity(1), identity(1)); f != 0 {
		t.Errorf("NaN has the factor %v", f)
	}
}
