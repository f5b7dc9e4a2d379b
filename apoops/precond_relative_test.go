package apoops

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// changed is f(I+y) for an n×n matrix f.
func changed(n int, f, y []float64) []float64 {
	out := append([]float64(nil), f...)
	for i := range n {
		for j := range n {
			for k := range n {
				out[i*n+j] += f[i*n+k] * y[k*n+j]
			}
		}
	}
	return out
}

// TestPreconditionRelative compares the value with Eq. 9 and the gradients by
// Y_A and Y_B with central differences of Eq. 9 for the changed factors.
func TestPreconditionRelative(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for i, s := range [][2]int{{3, 2}, {1, 4}, {4, 1}, {5, 6}, {3, 2}, {1, 4}, {4, 1}, {5, 6}} {
		n, m := s[0], s[1]
		a, b, sc, g := randn(rng, m, m), randn(rng, n, n), randn(rng, n, m), randn(rng, n, m)
		if i >= 4 {
			copy(sc.Float64s(), outerProduct(randn(rng, n).Float64s(), randn(rng, m).Float64s()))
		}
		zeroA, zeroB := tensor.New(tensor.WithShape(m, m), tensor.Of(tensor.Float64)), tensor.New(tensor.WithShape(n, n), tensor.Of(tensor.Float64))
		c := randn(rng, n, m)
		tc := opTest{
			name: "preconditionRelative",
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return PreconditionRelative(in[0], in[1], in[2], in[3], in[4], in[5])
			},
			inputs: []*tensor.Dense{a, b, sc, g, zeroA, zeroB}, wrt: []int{4, 5},
		}
		out, d := tc.evaluate(t, tc.inputs, tensor.Float64, c, true)
		_, d32 := tc.evaluate(t, tc.inputs, tensor.Float32, c, true)
		compare(t, "value", out, densePrecondition(n, m, a.Float64s(), b.Float64s(), sc.Float64s(), g.Float64s()), 1e-12)
		weighted := func(ya, yb []float64) float64 {
			u := densePrecondition(n, m, changed(m, a.Float64s(), ya), changed(n, b.Float64s(), yb), sc.Float64s(), g.Float64s())
			var sum float64
			for i, v := range u {
				sum += v * c.Float64s()[i]
			}
			return sum
		}
		for which, size := range []int{m * m, n * n} {
			numeric := make([]float64, size)
			for e := range numeric {
				const h = 1e-5
				at := func(delta float64) float64 {
					y := [2][]float64{make([]float64, m*m), make([]float64, n*n)}
					y[which][e] = delta
					return weighted(y[0], y[1])
				}
				numeric[e] = (at(h) - at(-h)) / (2 * h)
			}
			compare(t, "gradient", d[which], numeric, 1e-6)
			compare(t, "float32 gradient", d32[which], numeric, 2e-4)
		}
	}
}

func outerProduct(x, y []float64) (s []float64) {
	for _, v := range x {
		for _, w := range y {
			s = append(s, v*w)
		}
	}
	return s
}

func TestOuter(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 3))
	n, m := 7, 5
	s, x, y := outerProduct(randn(rng, n).Float64s(), randn(rng, m).Float64s()), make([]float64, n), make([]float64, m)
	if !Outer(s, n, m, x, y) {
		t.Error("an outer product is none")
	}
	compare(t, "x·yᵀ", outerProduct(x, y), s, 1e-15)
	single := make([]float32, len(s))
	for i, v := range s {
		single[i] = float32(v)
	}
	if !Outer(single, n, m, make([]float32, n), make([]float32, m)) {
		t.Error("an outer product rounded to float32 is none")
	}
	for i := range s {
		old := s[i]
		for _, v := range []float64{old * (1 + 1e-13), 0, math.NaN()} {
			if s[i] = v; Outer(s, n, m, x, y) {
				t.Errorf("element %d changed from %v to %v: still an outer product", i, old, v)
			}
		}
		s[i] = old
	}
	if Outer(make([]float64, 4), 2, 2, x, y) {
		t.Error("S = 0 has no scale to divide by")
	}
}

// TestTransposed has matrices of one tile and of several.
func TestTransposed(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 4))
	for _, n := range []int{1, 5, 64, 65, 130, 200} {
		f, s := randn(rng, n, n).Float64s(), randn(rng, n).Float64s()
		want := make([]float64, n*n)
		for i := range n {
			for j := range n {
				want[i*n+j] = f[i*n+j] + f[j*n+i]*s[j]*s[j]/(s[i]*s[i])
			}
		}
		new(transposed[float64]).add(f, s)
		compare(t, "F + scaled Fᵀ", f, want, 1e-12)
	}
}

// TestRelativeEnergy compares the sums with loops over the formula.
func TestRelativeEnergy(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 2))
	n, m := 5, 130
	in := make([]*tensor.Dense, 7)
	for i, s := range [][2]int{{m, m}, {n, n}, {n, m}, {n, m}, {m, m}, {n, n}, {n, m}} {
		in[i] = randn(rng, s[0], s[1])
	}
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		g := gorgonia.NewGraph()
		nodes := make(gorgonia.Nodes, len(in))
		for i, v := range in {
			nodes[i] = inputNode(g, v, dt, string(rune('a'+i)))
		}
		u, err := PreconditionRelative(nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], nodes[5])
		if err != nil {
			t.Fatal(err)
		}
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(u, nodes[6])), 0)), 0))
		d, err := gorgonia.Grad(cost, nodes[4], nodes[5])
		if err != nil {
			t.Fatal(err)
		}
		energy, err := RelativeEnergy(d[0], d[1], inputNode(g, tensor.New(tensor.FromScalar(0.5)), dt, "epsilon"))
		if err != nil {
			t.Fatal(err)
		}
		var got gorgonia.Value
		gorgonia.Read(energy, &got)
		vm := gorgonia.NewTapeMachine(g)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		_ = vm.Close()
		a, b, s, c := in[0].Float64s(), in[1].Float64s(), in[2].Float64s(), in[6].Float64s()
		x, z := sandwich(n, m, a, b, in[3].Float64s()), sandwich(n, m, a, b, c)
		want := make([]float64, n+m)
		for i := range n {
			for j := range m {
				k := i*m + j
				dx := s[k] * s[k] * x[k]
				p := 2*dx*x[k] + math.Abs(dx*(2*z[k]+x[k]))
				want[i] += p
				want[n+j] += p
			}
		}
		tol := 1e-12
		if dt == tensor.Float32 {
			tol = 1e-5
		}
		compare(t, "energy", floats(got), want, tol)
	}
	if _, err := RelativeEnergy(nil, nil, nil); err == nil {
		t.Fatal("nil operands were accepted")
	}
}

// sandwich is BᵀMA.
func sandwich(n, m int, a, b, x []float64) []float64 {
	out := make([]float64, n*m)
	for i := range n {
		for j := range m {
			for k := range n {
				for l := range m {
					out[i*m+j] += b[k*n+i] * x[k*m+l] * a[l*m+j]
				}
			}
		}
	}
	return out
}
