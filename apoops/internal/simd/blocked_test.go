package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

func init() {
	blocked := func(name string, call func(s *BlockSums, n *BlockNorm, x0 *[Block]float64, y, x, dy []float32)) {
		routines = append(routines, routine{name, func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
			var s BlockSums
			var norm BlockNorm
			var x0 [Block]float64
			for _, p := range [][]float32{norm.Mean[:], norm.F[:], norm.Shift[:], norm.Slope[:], norm.Level[:]} {
				random(r, p, rare)
			}
			for _, p := range [][]float64{s[0][:], s[1][:], x0[:]} {
				random(r, p, rare)
			}
			n -= n % Block
			x, dy, y := random(r, m.singles(n), rare), random(r, m.singles(n), rare), m.singles(n)
			clear(y)
			call(&s, &norm, &x0, y, x, dy)
			return bitsOf(bitsOf(bitsOf(bitsOf(nil, s[0][:]...), s[1][:]...), y...), dy...)
		}})
	}
	blocked("Block Squares", func(s *BlockSums, _ *BlockNorm, x0 *[Block]float64, _, x, _ []float32) { s.Squares(x, x0) })
	blocked("Block Products", func(s *BlockSums, n *BlockNorm, _ *[Block]float64, _, x, dy []float32) { s.Products(x, dy, n) })
	blocked("Block ReLUProducts", func(s *BlockSums, n *BlockNorm, _ *[Block]float64, _, x, dy []float32) { s.ReLUProducts(x, dy, n) })
	blocked("Block Affine", func(_ *BlockSums, n *BlockNorm, _ *[Block]float64, y, x, _ []float32) { n.Affine(y, x) })
	blocked("Block Grad", func(_ *BlockSums, n *BlockNorm, _ *[Block]float64, y, x, dy []float32) { n.Grad(y, x, dy) })
	blocked("Block Grad in place", func(_ *BlockSums, n *BlockNorm, _ *[Block]float64, _, x, dy []float32) { n.Grad(dy, x, dy) })
	blocked("Block ReLUGrad", func(_ *BlockSums, n *BlockNorm, _ *[Block]float64, y, x, dy []float32) { n.ReLUGrad(y, x, dy) })
}

// TestBlocksByChannel compares blocks with the loops over one channel: the same bits of
// what is made by element, sums to rounding.
func TestBlocksByChannel(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	const positions = 37
	var n BlockNorm
	for _, p := range [][]float32{n.Mean[:], n.F[:], n.Shift[:], n.Slope[:], n.Level[:]} {
		random(r, p, false)
	}
	x, dy := random(r, make([]float32, positions*Block), false), random(r, make([]float32, positions*Block), false)
	var y [3][]float32
	for i := range y {
		y[i] = make([]float32, len(x))
	}
	var sums [3]BlockSums
	var x0 [Block]float64
	for c := range x0 {
		x0[c] = float64(x[c])
	}
	n.Affine(y[0], x)
	n.Grad(y[1], x, dy)
	n.ReLUGrad(y[2], x, dy)
	sums[0].Squares(x, &x0)
	sums[1].Products(x, dy, &n)
	sums[2].ReLUProducts(x, dy, &n)
	for c := range Block {
		one := func(z []float32) []float32 {
			all := make([]float32, positions)
			for i := range all {
				all[i] = z[i*Block+c]
			}
			return all
		}
		x, dy := one(x), one(dy)
		var want [3][]float32
		for i := range want {
			want[i] = make([]float32, positions)
		}
		Affine(want[0], x, n.Mean[c], n.F[c], n.Shift[c])
		BatchGrad(want[1], x, dy, n.Mean[c], n.F[c], n.Slope[c], n.Level[c])
		BatchReLUGrad(want[2], x, dy, n.Mean[c], n.F[c], n.Shift[c], n.Slope[c], n.Level[c])
		for i := range want {
			for j, v := range one(y[i]) {
				if v != want[i][j] {
					t.Fatalf("channel %d: element %d of result %d is %v, want %v", c, j, i, v, want[i][j])
				}
			}
		}
		var pairs [3][2]float64
		pairs[0][0], pairs[0][1] = Squares(x, x0[c])
		pairs[1][0], pairs[1][1] = BatchSums(x, dy, n.Mean[c])
		pairs[2][0], pairs[2][1] = BatchReLUSums(x, dy, n.Mean[c], n.F[c], n.Shift[c])
		for i, p := range pairs {
			for j, v := range p {
				if got := sums[i][j][c]; math.Abs(got-v) > 1e-12*math.Abs(v)+1e-9 {
					t.Fatalf("channel %d: sum %d of %d is %v, want %v", c, j, i, got, v)
				}
			}
		}
	}
}
