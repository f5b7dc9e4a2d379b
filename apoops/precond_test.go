package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// densePrecondition multiplies by Eq. 9 written out: vec stacks columns, so
// (A⊗B) has entry A[j,l]·B[i,k] at row j·n+i and column l·n+k.
func densePrecondition(n, m int, a, b, s, g []float64) []float64 {
	size := n * m
	c := make([]float64, size*size)
	vecS, vecG := make([]float64, size), make([]float64, size)
	for i := range n {
		for j := range m {
			vecS[j*n+i], vecG[j*n+i] = s[i*m+j], g[i*m+j]
			for k := range n {
				for l := range m {
					c[(j*n+i)*size+l*n+k] = a[j*m+l] * b[i*n+k]
				}
			}
		}
	}
	p := make([]float64, size*size) // C diag(S)² Cᵀ
	for r := range size {
		for q := range size {
			for k := range size {
				p[r*size+q] += c[r*size+k] * vecS[k] * vecS[k] * c[q*size+k]
			}
		}
	}
	u := make([]float64, size)
	for i := range n {
		for j := range m {
			for q := range size {
				u[i*m+j] += p[(j*n+i)*size+q] * vecG[q]
			}
		}
	}
	return u
}

// TestPrecondition compares Eq. 10 with Eq. 9 written out, and the gradients
// with central differences.
func TestPrecondition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, s := range [][2]int{{3, 2}, {1, 4}, {4, 1}, {5, 6}} {
		n, m := s[0], s[1]
		inputs := []*tensor.Dense{randn(rng, m, m), randn(rng, n, n), randn(rng, n, m), randn(rng, n, m)}
		want := func(in [][]float64) []float64 { return densePrecondition(n, m, in[0], in[1], in[2], in[3]) }
		opTest{
			name: "precondition",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return Precondition(in[0], in[1], in[2], in[3])
			},
			inputs: inputs, wrt: []int{0, 1, 2}, want: want,
		}.run(t)
		opTest{
			name: "precondition of a computed gradient",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				g, err := Reshape(in[3], n, m)
				if err != nil {
					return nil, err
				}
				return Precondition(in[0], in[1], in[2], g)
			},
			inputs: inputs, wrt: []int{0, 1, 2, 3}, want: want,
		}.run(t)
	}
}

// TestPreconditionIsPositiveSemidefinite checks <g, Pg> ≥ 0 for random factors.
func TestPreconditionIsPositiveSemidefinite(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	for range 100 {
		n, m := 1+rng.IntN(4), 1+rng.IntN(4)
		g := randn(rng, n, m).Float64s()
		u := densePrecondition(n, m, randn(rng, m, m).Float64s(), randn(rng, n, n).Float64s(), randn(rng, n, m).Float64s(), g)
		var dot float64
		for i := range u {
			dot += u[i] * g[i]
		}
		if dot < -1e-12 {
			t.Fatalf("<g, Pg> = %v", dot)
		}
	}
}

func TestPreconditionRefusesWrongShapes(t *testing.T) {
	g := gorgonia.NewGraph()
	matrix := func(name string, r, c int) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(r, c), gorgonia.WithName(name))
	}
	a, b, s, gr := matrix("A", 2, 2), matrix("B", 3, 3), matrix("S", 3, 2), matrix("G", 3, 2)
	if _, err := Precondition(a, b, s, gr); err != nil {
		t.Fatal(err)
	}
	for _, in := range []gorgonia.Nodes{{b, a, s, gr}, {a, a, s, gr}, {a, b, a, gr}, {a, b, s, nil}} {
		if _, err := Precondition(in[0], in[1], in[2], in[3]); err == nil {
			t.Fatal("wrong shapes were accepted")
		}
	}
}
