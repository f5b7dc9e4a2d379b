package curvature

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// learnsEpsilon starts Shampoo with a learned ε on a matrix of 5×4 and a vector of 3.
func learnsEpsilon(t *testing.T, o *ShampooConfig) (rule.Rule, rule.Tunable) {
	t.Helper()
	params := []*graph.Param{
		{Name: "a", Value: denseOf(make([]float64, 20), 5, 4), Matrix: true},
		{Name: "b", Value: denseOf(make([]float64, 3), 3)},
	}
	r, err := o.Start(&rule.Task{Params: params, Blocks: graph.BlockPerParam(params)})
	if err == nil {
		err = r.Tunable().Tune([]string{rule.Epsilon})
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Tunable()
}

// drawnGradients are those of some steps for learnsEpsilon.
func drawnGradients(steps int) (all [][]*tensor.Dense) {
	rng := rand.New(rand.NewPCG(7, 2))
	for range steps {
		all = append(all, []*tensor.Dense{denseOf(drawnMatrix(rng, 5, 4), 5, 4), denseOf(drawnMatrix(rng, 3, 1), 3)})
	}
	return all
}

// TestLearnedEpsilonEqualsDenseTwin changes ε at each step. The twin has the sums of the
// last roots, with the ε of the step on their diagonals.
func TestLearnedEpsilonEqualsDenseTwin(t *testing.T) {
	const n, m = 5, 4
	o := Shampoo(1)
	o.Momentum, o.RootEvery, o.Eps = 0, 3, 0.1
	r, tunable := learnsEpsilon(t, o)
	l, q, h := make([]float64, n*n), make([]float64, m*m), make([]float64, 3)
	var rootsOf [2][]float64
	for i, g := range drawnGradients(7) {
		eps := 0.1 * math.Pow(2, float64(i%4))
		tunable.Set([]float64{eps})
		d, err := r.Directions(rule.Input{T: i + 1, G: g})
		if err != nil {
			t.Fatal(err)
		}
		x := g[0].Float64s()
		xt := transposed(x, n, m)
		blas.Axpy(1, times(x, xt, n, m, n), l)
		blas.Axpy(1, times(xt, x, m, n, m), q)
		if i%3 == 0 {
			rootsOf = [2][]float64{slices.Clone(l), slices.Clone(q)}
		}
		want := times(times(newtonRoot(withDiagonal(rootsOf[0], n, eps), n), x, n, n, m), newtonRoot(withDiagonal(rootsOf[1], m, eps), m), n, m, m)
		near(t, i, d[0].Float64s(), want)
		want = make([]float64, 3)
		for j, v := range g[1].Float64s() {
			h[j] += v * v
			want[j] = v / math.Sqrt(h[j]+eps)
		}
		near(t, i, d[1].Float64s(), want)
	}
}

// withDiagonal is A + ε·I.
func withDiagonal(a []float64, n int, eps float64) []float64 {
	b := slices.Clone(a)
	for i := range n {
		b[i*n+i] += eps
	}
	return b
}

func near(t *testing.T, step int, got, want []float64) {
	t.Helper()
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-9 {
			t.Fatalf("step %d: element %d is %v, want %v", step, i, got[i], w)
		}
	}
}

// TestEpsilonTangents compares ∂d/∂log ε with central differences of whole runs whose last
// step has another ε: at a step with new roots, and between.
func TestEpsilonTangents(t *testing.T) {
	const steps, eps = 4, 0.3
	gradients := drawnGradients(steps)
	for name, set := range map[string]func(o *ShampooConfig){
		"new roots":    func(o *ShampooConfig) { o.RootEvery = 3 },
		"old roots":    func(o *ShampooConfig) { o.RootEvery = 20 },
		"parts":        func(o *ShampooConfig) { o.RootEvery, o.BlockSize = 2, 3 },
		"grafted":      func(o *ShampooConfig) { o.RootEvery, o.Grafting = 3, "rmsprop" },
		"parts, graft": func(o *ShampooConfig) { o.RootEvery, o.BlockSize, o.Grafting = 2, 3, "adam" },
	} {
		look := func(last float64) (d []*tensor.Dense, tangents [][]*tensor.Dense) {
			o := Shampoo(1)
			o.Eps = eps
			set(o)
			r, tunable := learnsEpsilon(t, o)
			for i, g := range gradients {
				in := rule.Input{T: i + 1, G: g}
				var err error
				if i < steps-1 {
					tunable.Set([]float64{eps})
					_, err = r.Directions(in)
				} else {
					tunable.Set([]float64{last})
					d, tangents, err = tunable.Look(in)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			return d, tangents
		}
		const by = 1e-3
		at := func(x float64) []*tensor.Dense { d, _ := look(eps * math.Exp(x)); return d }
		p1, m1, p2, m2 := at(by), at(-by), at(2*by), at(-2*by)
		_, tangents := look(eps)
		for i, tangent := range tangents[0] {
			for j, got := range tangent.Float64s() {
				want := (8*(p1[i].Float64s()[j]-m1[i].Float64s()[j]) - (p2[i].Float64s()[j] - m2[i].Float64s()[j])) / (12 * by)
				if math.Abs(got-want) > 1e-9 {
					t.Errorf("%s: parameter %d, element %d: ∂d/∂log ε is %v, differences give %v", name, i, j, got, want)
				}
			}
		}
	}
}

// TestRaisedEigenvalues has an ε below the rounding of the largest eigenvalue: what is raised
// does not depend on it.
func TestRaisedEigenvalues(t *testing.T) {
	s := newSpectra[float64](3, 1)
	s.eps[0] = 1e-20
	copy(s.w[0], []float64{0, 1e-19, 1})
	copy(s.w[1], []float64{1e-20})
	share := make([]float64, 3)
	if s.shares(0, share); share[0] != 0 || share[1] != 0 || share[2] != 1e-20 {
		t.Errorf("shares %v, want 0, 0 and 1e-20", share)
	}
	if s.shares(1, share); share[0] != 0.5 {
		t.Errorf("share %v of a matrix of one number, want 0.5", share[0])
	}
	s.eps[0] = 0 // before the first roots
	if s.shares(0, share); share[0] != 0 || share[1] != 0 || share[2] != 0 {
		t.Errorf("shares %v without ε", share)
	}
}
