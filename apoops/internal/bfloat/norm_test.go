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
	"github.com/apo-gorgonia/apo/apoops/internal/guard"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// special are the bits of zeros, subnormal and the least normal numbers, the largest
// ones, infinities, and quiet and signalling NaNs.
var special = []uint16{
	0, 0x8000, 1, 0x8001, 0x7f, 0x80, 0x8080, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0xffc1, 0x7f81, 0xff81, 0x3f80, 0xbf80,
}

// mixed sets x to the bits of numbers of both signs from 2⁻²⁰ to 2¹², rare ones among them.
func mixed(rng *rand.Rand, x []uint16, rare bool) []uint16 {
	for i := range x {
		r := rng.Uint64()
		exponent := 127 - 20 + r>>16&31
		x[i] = uint16(r&0x807f | exponent<<7)
		if rare && r>>32&3 == 0 {
			x[i] = special[r>>34%uint64(len(special))]
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
	beside   []uint16 // y and what lies beside it
	from     int      // y's first element
}

// canary is what results are before: a positive number, which ReLU leaves.
const canary = 0x2bcd

// array makes one of n elements, of which the first is number from of all.
type array func(n int) (all []uint16, from int)

// aligned makes arrays that begin offset elements behind a boundary of 64 bytes.
func aligned(offset int) array {
	return func(n int) (all []uint16, from int) {
		all = make([]uint16, n+128)
		from = 32 + offset
		for uintptr(unsafe.Pointer(&all[from-offset]))%64 != 0 {
			from++
		}
		return all, from
	}
}

func newNormCase(seed uint64, n int, get array) *normCase {
	rng, rare := rand.New(rand.NewPCG(seed, 3)), seed%2 == 1
	operand := func() []uint16 {
		all, from := get(n)
		return mixed(rng, all[from:from+n:from+n], rare)
	}
	c := &normCase{x: operand(), dy: operand()}
	c.beside, c.from = get(n)
	c.y = c.beside[c.from : c.from+n : c.from+n]
	var bits [simd.Block]uint16
	for _, p := range [][]float32{c.n.Mean[:], c.n.F[:], c.n.Shift[:], c.n.Slope[:], c.n.Level[:]} {
		half.Expand(half.BFloat16, p, mixed(rng, bits[:], rare))
		for i := range p {
			p[i] *= 1.0001 // parameters have all bits of float32
		}
	}
	for _, p := range [][]float64{c.x0[:], c.sums[0][:], c.sums[1][:]} {
		half.Expand(half.BFloat16, p, mixed(rng, bits[:], rare))
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
	{"Grad in place", func(c *normCase) { copy(c.y, c.dy); bfloat.Grad(&c.n, c.y, c.x, c.y, false) },
		func(c *normCase, y, x, dy []float32) { copy(y, dy); c.n.Grad(y, x, y) }},
}

// difference says where the results are not those that are wanted, but for the bits of NaNs.
func (c *normCase) difference(beside []uint16, sums *simd.BlockSums) string {
	for i, b := range c.beside {
		if w := beside[i]; b != w && (number(b) == number(b) || number(w) == number(w)) {
			return fmt.Sprintf("element %d is %#04x, want %#04x", i-c.from, b, w)
		}
	}
	for i := range c.sums {
		for j, v := range c.sums[i] {
			if w := sums[i][j]; math.Float64bits(v) != math.Float64bits(w) && (v == v || w == w) {
				return fmt.Sprintf("sum %d of channel %d is %v, want %v", i, j, v, w)
			}
		}
	}
	return ""
}

// compareNorm compares the loops at all levels with their definitions in Go, and looks at
// what lies beside results. All have the same operands, which are made once.
func compareNorm(t *testing.T, seed uint64, n int, get array) {
	t.Helper()
	c := newNormCase(seed, n, get)
	start := c.sums
	y, x, dy := make([]float32, n), make([]float32, n), make([]float32, n)
	half.Expand(half.BFloat16, x, c.x)
	half.Expand(half.BFloat16, dy, c.dy)
	want := slices.Repeat([]uint16{canary}, len(c.beside))
	for _, l := range normLoops {
		before := simd.Set(simd.Off)
		c.sums = start
		fill(y, float32(number(canary)))
		l.definition(c, y, x, dy)
		half.Pack(half.BFloat16, want[c.from:], y)
		sums := c.sums
		for _, level := range simd.Levels() {
			c.sums = start
			fill(c.beside, canary)
			simd.Set(level)
			l.bits(c)
			if d := c.difference(want, &sums); d != "" {
				t.Fatalf("%s, %v, seed %d, %d elements, the first one number %d: %s", l.name, level, seed, n, c.from, d)
			}
		}
		simd.Set(before)
	}
}

func fill[T any](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

// TestNorm has arrays of all short lengths, which need not be whole vectors, at all
// beginnings, and some of several parts, which have 128 vectors each.
func TestNorm(t *testing.T) {
	for n := range 12 * simd.Block {
		for i, offset := range []int{0, 1, 16, n % 32} {
			compareNorm(t, uint64(2*n+i%2), n, aligned(offset))
		}
	}
	for _, n := range []int{127, 128, 129, 257} {
		for i := range 2 {
			compareNorm(t, uint64(n+i), n*simd.Block, aligned(i))
			compareNorm(t, uint64(n+i), n*simd.Block+5, aligned(i))
		}
	}
}

// TestNormAtPageEnds puts every array where memory ends, and then where it begins.
func TestNormAtPageEnds(t *testing.T) {
	rooms, err := guard.New(3, 4096)
	if err != nil {
		t.Skip(err)
	}
	defer rooms.Close()
	for i, atEnd := range []bool{true, false} {
		rooms.AtEnd = atEnd
		for n := range 12 * simd.Block {
			compareNorm(t, uint64(2*n+i), n, func(n int) ([]uint16, int) { return guard.Slice[uint16](rooms, n), 0 })
		}
	}
}

// FuzzNorm has arrays of fewer than 300 elements, and in one input of eight a part more.
func FuzzNorm(f *testing.F) {
	f.Add(uint64(1), 100, 5)
	f.Add(uint64(15), 3, 0)
	f.Fuzz(func(t *testing.T, seed uint64, n, offset int) {
		n = int(uint(n) % 300)
		if seed/2%8 == 7 {
			n += 128 * simd.Block
		}
		compareNorm(t, seed, n, aligned(int(uint(offset)%32)))
	})
}

// BenchmarkNorm has the time of 16 images of a block of 16 channels, of 32×32 each.
func BenchmarkNorm(b *testing.B) {
	for _, l := range normLoops {
		for _, level := range simd.Levels() {
			b.Run(fmt.Sprintf("%s/%v", l.name, level), func(b *testing.B) {
				defer simd.Set(simd.Set(level))
				c := newNormCase(2, 16*1024*simd.Block, aligned(0))
				b.SetBytes(int64(2 * len(c.x)))
				for b.Loop() {
					l.bits(c)
				}
			})
		}
	}
}
