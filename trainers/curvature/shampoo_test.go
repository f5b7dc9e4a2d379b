package curvature

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

func drawnMatrix(rng *rand.Rand, rows, cols int) []float64 {
	x := make([]float64, rows*cols)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// times is the product of an n×k and a k×m matrix.
func times(a, b []float64, n, k, m int) []float64 {
	c := make([]float64, n*m)
	for i := range n {
		for j := range m {
			for l := range k {
				c[i*m+j] += a[i*k+l] * b[l*m+j]
			}
		}
	}
	return c
}

func transposed(a []float64, rows, cols int) []float64 {
	t := make([]float64, len(a))
	for i := range rows {
		for j := range cols {
			t[j*rows+i] = a[i*cols+j]
		}
	}
	return t
}

// TestInverseFourthRoot checks R⁴·A = I.
func TestInverseFourthRoot(t *testing.T) {
	const n = 5
	x := drawnMatrix(rand.New(rand.NewPCG(4, 2)), n, n)
	a := times(x, transposed(x, n, n), n, n, n)
	e, err := decomposed(a, n)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.inverseFourthRoot(0, ulp[float64]())
	if err != nil {
		t.Fatal(err)
	}
	r2 := times(r, r, n, n, n)
	got := times(times(r2, r2, n, n, n), a, n, n, n)
	for i := range n {
		for j := range n {
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(got[i*n+j]-want) > 1e-9 {
				t.Fatalf("R⁴A has %v at (%d, %d)", got[i*n+j], i, j)
			}
		}
	}
}

// startShampooOn starts the rule on matrices of the given shapes.
func startShampooOn(t *testing.T, o *ShampooConfig, shapes [][2]int) rule.Rule {
	t.Helper()
	var params []*graph.Param
	for i, s := range shapes {
		params = append(params, &graph.Param{Name: string(rune('a' + i)), Value: denseOf(make([]float64, s[0]*s[1]), s[0], s[1]), Matrix: true})
	}
	r, err := o.Start(&rule.Task{Params: params, Blocks: graph.BlockPerParam(params)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestShampooEqualsDenseTwin solves for the direction: with v = L^(¼) d R^(¼) = g,
// raised to the fourth power, d is the one with ((L⊗R)^(1/4)) d = g. The twin
// applies the fourth roots' inverses, found by Newton's iteration.
func TestShampooEqualsDenseTwin(t *testing.T) {
	const n, m = 4, 3
	rng := rand.New(rand.NewPCG(2, 2))
	for _, beta := range []float64{1, 0.9} {
		o := Shampoo(1)
		o.Momentum, o.RootEvery, o.Beta2, o.Eps = 0, 1, beta, 0.1
		r := startShampooOn(t, o, [][2]int{{n, m}})
		l, q := make([]float64, n*n), make([]float64, m*m)
		array.Identity(l, n, o.Eps)
		array.Identity(q, m, o.Eps)
		take := 1.0
		if beta < 1 {
			take = 1 - beta
		}
		for step := 1; step <= 3; step++ {
			g := drawnMatrix(rng, n, m)
			gt := transposed(g, n, m)
			for i, v := range times(g, gt, n, m, n) {
				l[i] = beta*l[i] + take*v
			}
			for i, v := range times(gt, g, m, n, m) {
				q[i] = beta*q[i] + take*v
			}
			d, err := r.Directions(rule.Input{T: step, G: []*tensor.Dense{denseOf(g, n, m)}})
			if err != nil {
				t.Fatal(err)
			}
			want := times(times(newtonRoot(l, n), g, n, n, m), newtonRoot(q, m), n, m, m)
			for i, w := range want {
				if math.Abs(d[0].Float64s()[i]-w) > 1e-9 {
					t.Fatalf("β = %v, step %d: element %d is %v, want %v", beta, step, i, d[0].Float64s()[i], w)
				}
			}
		}
	}
}

// newtonRoot is A^(-1/4) by the coupled Newton iteration (Guo & Higham 2006):
// M = A/z, X = z^(-1/4)·I; T = (5I - M)/4, X ← XT, M ← T⁴M until M = I.
func newtonRoot(a []float64, n int) []float64 {
	z := trace(a, n)
	m, x := append([]float64(nil), a...), make([]float64, n*n)
	for i := range m {
		m[i] /= z
	}
	array.Identity(x, n, math.Pow(z, -0.25))
	for range 60 {
		t := make([]float64, n*n)
		for i, v := range m {
			t[i] = -v / 4
		}
		for i := range n {
			t[i*n+i] += 5.0 / 4
		}
		x = times(x, t, n, n, n)
		t2 := times(t, t, n, n, n)
		m = times(times(t2, t2, n, n, n), m, n, n, n)
	}
	return x
}

// TestShampooBlocksAreSeparate compares a matrix cut into blocks with the parts as
// parameters of their own.
func TestShampooBlocksAreSeparate(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	o := Shampoo(1)
	o.BlockSize, o.RootEvery = 3, 2
	whole := startShampooOn(t, o, [][2]int{{5, 4}})
	parts := startShampooOn(t, o, [][2]int{{3, 3}, {3, 1}, {2, 3}, {2, 1}})
	corners := [][2]int{{0, 0}, {0, 3}, {3, 0}, {3, 3}}
	for step := 1; step <= 4; step++ {
		g := drawnMatrix(rng, 5, 4)
		var cut []*tensor.Dense
		for i, c := range corners {
			rows, cols := []int{3, 3, 2, 2}[i], []int{3, 1, 3, 1}[i]
			x := make([]float64, 0, rows*cols)
			for r := range rows {
				from := (c[0]+r)*4 + c[1]
				x = append(x, g[from:from+cols]...)
			}
			cut = append(cut, denseOf(x, rows, cols))
		}
		d, err := whole.Directions(rule.Input{T: step, G: []*tensor.Dense{denseOf(g, 5, 4)}})
		if err != nil {
			t.Fatal(err)
		}
		e, err := parts.Directions(rule.Input{T: step, G: cut})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range corners {
			cols := e[i].Shape()[1]
			for j, want := range e[i].Float64s() {
				if got := d[0].Float64s()[(c[0]+j/cols)*4+c[1]+j%cols]; math.Abs(got-want) > 1e-12 {
					t.Fatalf("step %d, part %d: element %d is %v, want %v", step, i, j, got, want)
				}
			}
		}
	}
}

// TestGraftingTakesNorm compares the direction's norm with the other rule's.
func TestGraftingTakesNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 5))
	for name, other := range map[string]rule.Optimizer{"sgd": rule.SGD(1), "rmsprop": rule.RMSprop(1), "adam": rule.Adam(1)} {
		o := Shampoo(1)
		o.Grafting, o.Momentum = name, 0
		r := startShampooOn(t, o, [][2]int{{5, 4}})
		own, err := other.Start(&rule.Task{Params: []*graph.Param{{Name: "a", Value: denseOf(make([]float64, 20), 5, 4)}}})
		if err != nil {
			t.Fatal(err)
		}
		for step := 1; step <= 3; step++ {
			s := rule.Input{T: step, G: []*tensor.Dense{denseOf(drawnMatrix(rng, 5, 4), 5, 4)}}
			d, err := r.Directions(s)
			if err != nil {
				t.Fatal(err)
			}
			want, err := own.Directions(s)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := array.Norm(d[0]), array.Norm(want[0]); math.Abs(a-b) > 1e-12*b {
				t.Errorf("%s, step %d: norm %v, want %v", name, step, a, b)
			}
		}
	}
}

func denseOf[T any](x []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}
