package dnn

import (
	"math/rand/v2"
	"testing"
)

func TestProduct(t *testing.T) {
	system(t)
	rng := rand.New(rand.NewPCG(6, 1))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	for range 30 {
		m, n, k := 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(40)
		for _, form := range [][3]bool{{}, {true}, {false, true}, {true, true, true}, {false, false, true}} {
			a, b := Matrix{m, k, k + rng.IntN(3), false}, Matrix{k, n, n + rng.IntN(3), false}
			if form[0] {
				a = Matrix{k, m, m + 1, true}
			}
			if form[1] {
				b = Matrix{n, k, k + 2, true}
			}
			c := Matrix{m, n, n + 1, false}
			x, y, z := random(a.elements()), random(b.elements()), random(c.elements())
			want := make([]float64, len(z))
			for i, v := range z {
				want[i] = float64(v)
			}
			at := func(m Matrix, v []float32, i, j int) float64 {
				if m.Transposed {
					i, j = j, i
				}
				return float64(v[i*m.Stride+j])
			}
			for i := range m {
				for j := range n {
					var sum float64
					if form[2] {
						sum = want[i*c.Stride+j]
					}
					for l := range k {
						sum += at(a, x, i, l) * at(b, y, l, j)
					}
					want[i*c.Stride+j] = sum
				}
			}
			p, err := NewProduct[float32, float32](a, b, c, form[2])
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Run(x, y, z); err != nil {
				t.Fatal(err)
			}
			near(t, "product", z, want)
			if err := p.Run(x, y, z[:len(z)-1]); err == nil {
				t.Error("a short slice was written to")
			}
			p.Close()
		}
	}
	if _, err := NewProduct[float32, float32](Matrix{2, 3, 3, false}, Matrix{2, 3, 3, false}, Matrix{2, 3, 3, false}, false); err == nil {
		t.Error("2×3 times 2×3")
	}
}

func TestProductAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	system(t)
	m := Matrix{64, 64, 64, false}
	p, err := NewProduct[float32, float32](m, m, m, false)
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := make([]float32, 4096), make([]float32, 4096), make([]float32, 4096)
	run := func() {
		if err := p.Run(a, b, c); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(50, run); n > 0.5 {
		t.Fatalf("%v allocations a call", n)
	}
}
