package form

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"
)

// TestTwoSided compares (X·P_B)ᵀ(Z·P_A) with P times G = XᵀZ, for symmetric sides.
func TestTwoSided(t *testing.T) {
	for dt, tol := range dtypes {
		for _, size := range [][2]int{{7, 5}, {5, 2}, {2, 7}, {1, 1}} {
			c := newCase(LowRank{Rank: 2}, size[0], size[1])
			p := c.start(t, dt).(TwoSided)
			for i, q := range c.f.Factors(c.rows, c.cols) {
				a := p.Factors()[i]
				n := q.Shape[0]
				switch q.Name[0] {
				case 'C':
					for j := range n {
						for k := range j + 1 {
							v := 0.3 * c.rng.NormFloat64()
							set(a, j*n+k, at(a, j*n+k)+v)
							if j != k {
								set(a, k*n+j, at(a, k*n+j)+v)
							}
						}
					}
				case 'p':
					set(a, 0, 0.7)
				}
			}
			const n = 6
			x, z := c.random(dt, n, c.rows), c.random(dt, n, c.cols)
			y, u := c.random(dt, n, c.rows), c.random(dt, n, c.cols)
			p.MultiplyInputs(y, x)
			p.MultiplyOutputs(u, z)
			g := tensor.New(tensor.WithShape(c.rows, c.cols), tensor.Of(dt))
			near(t, "(X·P_B)ᵀ(Z·P_A)", outer(y, u, n), multiply(p, filled(g, outer(x, z, n))), 10*tol)
			if a := testing.AllocsPerRun(5, func() { p.MultiplyInputs(y, x); p.MultiplyOutputs(u, z) }); a > 0 && !raceEnabled {
				t.Errorf("%v allocations", a)
			}
		}
	}
}

// outer is XᵀZ of n rows.
func outer(x, z *tensor.Dense, n int) []float64 {
	rows, cols := x.DataSize()/n, z.DataSize()/n
	g := make([]float64, rows*cols)
	for k := range n {
		for i := range rows {
			for j := range cols {
				g[i*cols+j] += at(x, k*rows+i) * at(z, k*cols+j)
			}
		}
	}
	return g
}

func filled(a *tensor.Dense, x []float64) *tensor.Dense {
	for i, v := range x {
		set(a, i, v)
	}
	return a
}

// TestSidesAreContiguous: φ of a learner is the memory of the factors.
func TestSidesAreContiguous(t *testing.T) {
	c := newCase(LowRank{Rank: 2}, 7, 3)
	p := c.start(t, tensor.Float64)
	l, err := c.f.Probed().Start(p)
	if err != nil {
		t.Fatal(err)
	}
	k := 0
	for _, phi := range l.Phi() {
		for i := range phi.DataSize() {
			set(phi, i, float64(k))
			k++
		}
	}
	var all []float64
	for _, a := range p.Factors() {
		all = append(all, numbers(a)...)
	}
	if len(all) != k || !slices.IsSorted(all) || all[0] != 0 {
		t.Errorf("factors %v after φ was counted to %d", all, k)
	}
	l.Restart(0.5)
	if least, largest, err := l.Spectrum(); err != nil || math.Abs(least-0.5) > 1e-12 || math.Abs(largest-0.5) > 1e-12 {
		t.Errorf("eigenvalues %v to %v, %v", least, largest, err)
	}
}

// TestLowRankOfManySizes: the default rank, one below 0, and a start that depends on the
// seed.
func TestLowRankOfManySizes(t *testing.T) {
	if got, want := len(LowRank{}.Factors(65, 64)), 4; got != want {
		t.Errorf("%d factors for 65×64, not %d", got, want)
	}
	s := Setup{Rows: 9, Cols: 9, Dtype: tensor.Float64, Rate: 1}
	if _, err := Start(LowRank{Rank: -1}, s); err == nil {
		t.Error("a negative rank is accepted")
	}
	var starts [][]float64
	for s.Seed = range 2 {
		p, err := Start(LowRank{Rank: 1}, s)
		if err != nil {
			t.Fatal(err)
		}
		starts = append(starts, numbers(p.Factors()[0]), numbers(p.Factors()[3]))
	}
	for i, a := range starts {
		for _, b := range starts[:i] {
			if slices.Equal(a, b) {
				t.Error("two sides or two seeds have the same V")
			}
		}
	}
}
