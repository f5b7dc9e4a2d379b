package bfloat_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/bfloat"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// special are the bits of zeros, subnormal and the least normal numbers, the largest
// ones, infinities, and quiet and signalling NaNs.
var special = []uint16{
	0, 0x8000, 1, 0x8001, 0x7f, 0x80, 0x8080, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0xffc1, 0x7f81, 0xff81, 0x3f80, 0xbf80,
}

// mixed are the bits of n numbers whose sizes differ by much, rare ones among them.
func mixed(rng *rand.Rand, x []uint16, rare bool) []uint16 {
	for i := range x {
		x[i] = half.ToBits(half.BFloat16, rng.NormFloat64()*math.Exp(4*rng.NormFloat64()-2))
		if rare && rng.IntN(4) == 0 {
			x[i] = special[rng.IntN(len(special))]
		}
	}
	return x
}

// normCase are the operands of all loops and their results.
type normCase struct {
	x, dy, y []uint16
	n        simd.BlockNorm
	x0       [simd.Block]float64
	sums     simd.BlockSums
	all      []uint16 // y and what lies beside it
	from     int      // y's first element
}

const canary = 0xabcd

// newNormCase has n elements that begin offset elements behind a boundary of 64 bytes.
func newNormCase(seed uint64, n, offset int) *normCase {
	rng, rare := rand.New(rand.NewPCG(seed, 3)), seed%2 == 1
	array := func() (all, x []uint16, from int) {
		all = slices.Repeat([]uint16{canary}, n+128)
		from = 32 + offset
		for uintptr(unsafe.Pointer(&all[from-offset]))%64 != 0 {
			from++
		}
		return all, all[from : from+n : from+n], from
	}
	c := new(normCase)
	_, c.x, _ = array()
	_, c.dy, _ = array()
	c.all, c.y, c.from = array()
	mixed(rng, c.x, rare)
	mixed(rng, c.dy, rare)
	for _, p := range [][]float32{c.n.Mean[:], c.n.F[:], c.n.Shift[:], c.n.Slope[:], c.n.Level[:]} {
		half.Expand(half.BFloat16, p, mixed(rng, make([]uint16, simd.Block), rare))
		for i := range p {
			p[i] *= 1.0001 // parameters have all bits of float32
		}
	}
	for _, p := range [][]float64{c.x0[:], c.sums[0][:], c.sums[1][:]} {
		half.Expand(half.BFloat16, p, mixed(rng, make([]uint16, simd.Block), rare))
	}
	return c
}

// normLoops are the loops, and what each is by definition: the loop on float32, whose
// result is rounded.
var normLoops = []struct {
	name       string
	bits       func(c *normCase)
	definition func(c *normCase, y, x, dy []float32)
}{
	{"Squares", func(c *normCase) { bfloat.Squares(&c.sums, c.x, &c.x0) },
		func(c *normCase, _, x, _ []float32) { c.sums.Squares(x, &c.x0) }},
	{"Products", func(c *normCase) { bfloat.Products(&c.sums, c.x, c.dy, &c.n, false) },
		func(c *normCase, _, x, dy []float32) { c.sums.Products(x, dy, &c.n) }},
	{"Products of ReLU", func(c *normCase) { bfloat.Products(&c.sums, c.x, c.dy, &c.n, true) },
		func(c *normCase, _, x, dy []float32) { c.sums.ReLUProducts(x, dy, &c.n) }},
	{"Affine", func(c *normCase) { bfloat.Affine(&c.n, c.y, c.x, false) },
		func(c *normCase, y, x, _ []float32) { c.n.Affine(y, x) }},
	{"Affine and ReLU", func(c *normCase) { bfloat.Affine(&c.n, c.y, c.x, true) },
		func(c *normCase, y, x, _ []float32) { c.n.Affine(y, x); simd.ReLU(y) }},
	{"Grad", func(c *normCase) { bfloat.Grad(&c.n, c.y, c.x, c.dy, false) },
		func(c *normCase, y, x, dy []float32) { c.n.Grad(y, x, dy) }},
	{"Grad of ReLU", func(c *normCase) { bfloat.Grad(&c.n, c.y, c.x, c.dy, true) },
		func(c *normCase, y, x, dy []float32) { c.n.ReLUGrad(y, x, dy) }},
}

// compareNorm compares the loops at all levels with their definitions in Go, bit for bit,
// NaNs but for their bits, and looks at what lies beside results.
func compareNorm(t *testing.T, seed uint64, n, offset int) {
	t.Helper()
	for _, l := range normLoops {
		want := newNormCase(seed, n, offset)
		var f [3][]float32
		for i, bits := range [][]uint16{want.y, want.x, want.dy} {
			f[i] = make([]float32, n)
			half.Expand(half.BFloat16, f[i], bits)
		}
		before := simd.Set(simd.Off)
		l.definition(want, f[0], f[1], f[2])
		half.Pack(half.BFloat16, want.y, f[0])
		simd.Set(before)
		for _, level := range simd.Levels() {
			got := newNormCase(seed, n, offset)
			simd.Set(level)
			l.bits(got)
			simd.Set(before)
			what := fmt.Sprintf("%s, %v, seed %d, %d elements from %d on", l.name, level, seed, n, offset)
			for i, b := range got.all {
				w := uint16(canary)
				if j := i - got.from; j >= 0 && j < n {
					w = want.y[j]
				}
				if b != w && (number(b) == number(b) || number(w) == number(w)) {
					t.Fatalf("%s: element %d is %#04x, want %#04x", what, i-got.from, b, w)
				}
			}
			for i := range got.sums {
				for c, v := range got.sums[i] {
					if w := want.sums[i][c]; math.Float64bits(v) != math.Float64bits(w) && (v == v || w == w) {
						t.Fatalf("%s: sum %d of channel %d is %v, want %v", what, i, c, v, w)
					}
				}
			}
		}
	}
}

func TestNorm(t *testing.T) {
	for blocks := range 12 {
		for offset := range 32 {
			compareNorm(t, uint64(blocks*64+offset), blocks*simd.Block, offset)
		}
	}
	for _, blocks := range []int{127, 128, 129, 257} { // parts of 128
		compareNorm(t, 1, blocks*simd.Block, 1)
		compareNorm(t, 2, blocks*simd.Block, 0)
	}
}

func FuzzNorm(f *testing.F) {
	f.Add(uint64(1), 3, 5)
	f.Fuzz(func(t *testing.T, seed uint64, blocks, offset int) {
		compareNorm(t, seed, int(uint(blocks)%150)*simd.Block, int(uint(offset)%32))
	})
}

// BenchmarkNorm has the time of 16 images of a block of 16 channels, of 32×32 each.
func BenchmarkNorm(b *testing.B) {
	for _, l := range normLoops {
		for _, level := range simd.Levels() {
			b.Run(fmt.Sprintf("%s/%v", l.name, level), func(b *testing.B) {
				defer simd.Set(simd.Set(level))
				c := newNormCase(2, 16*1024*simd.Block, 0)
				b.SetBytes(int64(2 * len(c.x)))
				for b.Loop() {
					l.bits(c)
				}
			})
		}
	}
}
