package dnn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/half"
)

// lowSystem skips the test where there is no bfloat16.
func lowSystem(t testing.TB) {
	t.Helper()
	system(t)
	if err := BFloat16(); err != nil {
		t.Skip("no bfloat16 on this machine: ", err)
	}
}

// randomBits are the bits of n random bfloat16s.
func randomBits(rng *rand.Rand, n int) []uint16 {
	v := make([]uint16, n)
	for i := range v {
		v[i] = half.ToBits(half.BFloat16, rng.NormFloat64())
	}
	return v
}

func meaning(b uint16) float64 { return half.FromBits(half.BFloat16, b) }

// unit is the last place of the bfloat16s around x.
func unit(x float64) float64 {
	_, exponent := math.Frexp(x)
	return math.Ldexp(1, exponent-8)
}

func (m Matrix) at(v []uint16, i, j int) float64 {
	if m.Transposed {
		i, j = j, i
	}
	return meaning(v[i*m.Stride+j])
}

// lowProduct is a random product with its exact result and the sums of the absolute values
// of its terms.
type lowProduct struct {
	a, b, c   Matrix
	x, y      []uint16
	sum, size [][]float64
}

func newLowProduct(rng *rand.Rand, m, n, k int, ta, tb bool) lowProduct {
	p := lowProduct{a: Matrix{m, k, k + rng.IntN(3), false}, b: Matrix{k, n, n + rng.IntN(3), false}, c: Matrix{m, n, n + rng.IntN(3), false}}
	if ta {
		p.a = Matrix{k, m, m + rng.IntN(3), true}
	}
	if tb {
		p.b = Matrix{n, k, k + rng.IntN(3), true}
	}
	p.x, p.y = randomBits(rng, p.a.elements()), randomBits(rng, p.b.elements())
	for i := range m {
		p.sum, p.size = append(p.sum, make([]float64, n)), append(p.size, make([]float64, n))
		for j := range n {
			for l := range k {
				v := p.a.at(p.x, i, l) * p.b.at(p.y, l, j)
				p.sum[i][j] += v
				p.size[i][j] += math.Abs(v)
			}
		}
	}
	return p
}

// off is how far a sum of float32 of k terms may be from the exact one, of which the
// absolute values add up to size.
func off(size float64, k int) float64 { return float64(k+2) * size * 0x1p-24 }

// TestProductOfBFloat16 compares with exact sums: results of float32 are within the error
// of sums of float32, those of bfloat16 within one unit in the last place besides, and C
// is added to before the sum is rounded.
func TestProductOfBFloat16(t *testing.T) {
	lowSystem(t)
	rng := rand.New(rand.NewPCG(16, 1))
	for range 20 {
		m, n, k := 1+rng.IntN(70), 1+rng.IntN(70), 1+rng.IntN(70)
		for _, form := range [][2]bool{{}, {true}, {false, true}, {true, true}} {
			p := newLowProduct(rng, m, n, k, form[0], form[1])
			for _, add := range []bool{false, true} {
				checkSingle(t, p, k, add, rng)
				checkLow(t, p, k, add, rng)
			}
		}
	}
}

func checkSingle(t *testing.T, p lowProduct, k int, add bool, rng *rand.Rand) {
	t.Helper()
	single, err := NewProduct[uint16, float32](p.a, p.b, p.c, add)
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	z := make([]float32, p.c.elements())
	for i := range z {
		z[i] = float32(rng.NormFloat64())
	}
	before := slices.Clone(z)
	if err := single.Run(p.x, p.y, z); err != nil {
		t.Fatal(err)
	}
	for i, row := range p.sum {
		for j, want := range row {
			at, size := i*p.c.Stride+j, p.size[i][j]
			if add {
				want += float64(before[at])
				size += math.Abs(float64(before[at]))
			}
			if got := float64(z[at]); !(math.Abs(got-want) <= off(size, k)) {
				t.Fatalf("%+v·%+v, add %v: %d, %d is %v, not %v", p.a, p.b, add, i, j, got, want)
			}
		}
	}
}

func checkLow(t *testing.T, p lowProduct, k int, add bool, rng *rand.Rand) {
	t.Helper()
	low, err := NewProduct[uint16, uint16](p.a, p.b, p.c, add)
	if err != nil {
		t.Fatal(err)
	}
	defer low.Close()
	z := randomBits(rng, p.c.elements())
	before := slices.Clone(z)
	if err := low.Run(p.x, p.y, z); err != nil {
		t.Fatal(err)
	}
	for i, row := range p.sum {
		for j, want := range row {
			at, size := i*p.c.Stride+j, p.size[i][j]
			if add {
				want += meaning(before[at])
				size += math.Abs(meaning(before[at]))
			}
			got := meaning(z[at])
			if d := math.Abs(got - want); !(d <= unit(want)/2+off(size, k)) {
				t.Fatalf("%+v·%+v, add %v: %d, %d is %v, not %v", p.a, p.b, add, i, j, got, want)
			}
		}
	}
}

// TestPieces: every element comes once, with the number of the product, in pieces of rows
// and of columns that do not divide C, and the same bits come again.
func TestPieces(t *testing.T) {
	lowSystem(t)
	rng := rand.New(rand.NewPCG(16, 2))
	cuts := map[bool]int{}
	for _, size := range [][3]int{{1, 1, 1}, {5, 7, 3}, {150, 70, 90}, {300, 40, 101}, {257, 90, 33}, {33, 300, 80}, {140, 261, 21}} {
		for _, form := range [][2]bool{{}, {true}, {false, true}} {
			m, n, k := size[0], size[1], size[2]
			p := newLowProduct(rng, m, n, k, form[0], form[1])
			r, err := NewPieces[uint16](p.a, p.b)
			if err != nil {
				t.Fatal(err)
			}
			if m*n*k >= piecesFrom && r.all() <= r.length {
				t.Fatalf("%v: one piece", size)
			} else if r.all() > r.length {
				cuts[r.columns]++
			}
			run := func() []float32 {
				z := slices.Repeat([]float32{float32(math.NaN())}, m*n)
				if err := r.Run(p.x, p.y, func(p Piece) {
					width := p.Cols[1] - p.Cols[0]
					if len(p.C) != (p.Rows[1]-p.Rows[0])*width {
						t.Errorf("%v: rows %v, columns %v of %d elements", size, p.Rows, p.Cols, len(p.C))
					}
					for i := p.Rows[0]; i < p.Rows[1]; i++ {
						row := z[i*n+p.Cols[0] : i*n+p.Cols[1]]
						if row[0] == row[0] {
							t.Errorf("%v: row %d has been there", size, i)
						}
						copy(row, p.C[(i-p.Rows[0])*width:])
					}
				}); err != nil {
					t.Fatal(err)
				}
				return z
			}
			z := run()
			for i, row := range p.sum {
				for j, want := range row {
					if got := float64(z[i*n+j]); !(math.Abs(got-want) <= off(p.size[i][j], k)) {
						t.Fatalf("%v, %v: %d, %d is %v, not %v", size, form, i, j, got, want)
					}
				}
			}
			if !slices.Equal(run(), z) {
				t.Fatalf("%v: other bits in a second run", size)
			}
			if err := r.Run(p.x[:len(p.x)-1], p.y, func(Piece) {}); err == nil {
				t.Errorf("%v: a short A was read", size)
			}
			if err := r.Run(p.x, p.y[:len(p.y)-1], func(Piece) {}); err == nil {
				t.Errorf("%v: a short B was read", size)
			}
			r.Close()
		}
	}
	if cuts[true] == 0 || cuts[false] == 0 {
		t.Errorf("pieces of columns and of rows: %v", cuts)
	}
}

func TestPiecesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	lowSystem(t)
	m := Matrix{128, 128, 128, false}
	r, err := NewPieces[uint16](m, m)
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]uint16, 128*128), make([]uint16, 128*128)
	done := func(Piece) {}
	run := func() {
		if err := r.Run(a, b, done); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		run()
	}
	if n := testing.AllocsPerRun(50, run); n > 0.5 {
		t.Fatalf("%v allocations a call", n)
	}
}

// TestBFloat16Refuses: processors without it, results of bfloat16 of other operands, and
// sizes that do not fit.
func TestBFloat16Refuses(t *testing.T) {
	for isa, ok := range map[int32]bool{0: false, 0x7: false, 0x27: false, 0x67: false, 0xe7: true, 0x3e7: true, 0x407: false} {
		if err := bfloat16On(isa); (err == nil) != ok {
			t.Errorf("instruction set %#x: %v", isa, err)
		}
	}
	lowSystem(t)
	m := Matrix{4, 4, 4, false}
	if _, err := NewProduct[float32, uint16](m, m, m, false); err == nil {
		t.Error("a product of float32 with a result of bfloat16")
	}
	if _, err := NewProduct[uint16, uint16](m, Matrix{5, 4, 4, false}, m, false); err == nil {
		t.Error("4×4 times 5×4")
	}
	if _, err := NewPieces[uint16](m, Matrix{5, 4, 4, false}); err == nil {
		t.Error("pieces of 4×4 times 5×4")
	}
}
