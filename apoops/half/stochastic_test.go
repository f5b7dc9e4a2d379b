package half

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// neighbours are the numbers of the format on both sides of x ≥ 0, and the distance of
// x from the lower one as a part of theirs, from ToBits alone.
func neighbours(f Format, x float32) (low, high uint16, distance float64) {
	low = ToBits(f, float64(x))
	if FromBits(f, low) > float64(x) {
		low--
	}
	a := FromBits(f, low)
	if a == float64(x) {
		return low, low, 0
	}
	b := FromBits(f, low+1)
	if math.IsInf(b, 1) { // as if the format went on
		b = 2*a - FromBits(f, low-1)
	}
	return low, low + 1, (float64(x) - a) / (b - a)
}

func TestStochasticGivesNeighbours(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 2))
	x := make([]float32, 1<<16)
	bits := make([]uint16, len(x))
	both(t, func(t *testing.T) {
		for _, f := range formats {
			for round := range 8 {
				for i := range x {
					b := random.Uint32()
					if round%2 == 1 { // where float16 has its numbers, the subnormal ones among them
						b = b&0x80000fff | (0x33000000+random.Uint32N(0x14800000))&^0xfff
					}
					x[i] = math.Float32frombits(b)
				}
				PackStochastic(f, bits, x, uint64(round), 0)
				for i, v := range x {
					if v != v {
						if bits[i] != ToBits(f, float64(v)) {
							t.Fatalf("%v: a NaN became %#04x", f, bits[i])
						}
						continue
					}
					sign := uint16(math.Float32bits(v) >> 31 << 15)
					if low, high, _ := neighbours(f, float32(math.Abs(float64(v)))); bits[i] != low|sign && bits[i] != high|sign {
						t.Fatalf("%v: %v became %v, its neighbours are %v and %v", f, v, FromBits(f, bits[i]), FromBits(f, low), FromBits(f, high))
					}
				}
			}
		}
	})
}

func TestStochasticKeepsNumbersOfTheFormat(t *testing.T) {
	both(t, func(t *testing.T) {
		for _, f := range formats {
			x := make([]float32, 1<<16)
			bits := make([]uint16, len(x))
			for i := range x {
				x[i] = float32(FromBits(f, uint16(i)))
			}
			for step := range int64(5) {
				PackStochastic(f, bits, x, Key(3, 4, step), 0)
				for i, v := range x {
					if bits[i] != ToBits(f, float64(v)) {
						t.Fatalf("%v: %#04x (%v) became %#04x", f, i, v, bits[i])
					}
				}
			}
		}
	})
}

// TestStochasticFrequencies counts how often the upper neighbour is chosen, for many
// distances in normal and subnormal numbers and at the top, of both signs. The number
// must lie within five standard deviations of the binomial distribution.
func TestStochasticFrequencies(t *testing.T) {
	const n = 1 << 16
	x, bits := make([]float32, n), make([]uint16, n)
	both(t, func(t *testing.T) {
		key := uint64(0)
		for _, f := range formats {
			lowest := float32(math.Ldexp(1, 1-f.layout().bias-int(f.layout().fraction))) // subnormal
			step := math.Ldexp(1, -int(f.layout().fraction))                             // of the numbers at 1
			values := []float32{lowest / 2, lowest / 64, lowest * 2.75, lowest * 5.125, lowest * 0.9, float32(f.Max() * (1 + step/4)), 1e-3, math.Pi}
			for _, d := range []float64{0x1p-9, 0x1p-6, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 1 - 0x1p-9} {
				values = append(values, float32(1+d*step), float32(-3*(1+d*step)), lowest*float32(100+d))
			}
			for _, v := range values {
				key++
				for i := range x {
					x[i] = v
				}
				PackStochastic(f, bits, x, Key(1, key, 0), 0)
				_, high, p := neighbours(f, float32(math.Abs(float64(v))))
				up := 0
				for _, b := range bits {
					if b&0x7fff == high {
						up++
					}
				}
				if deviation := math.Abs(float64(up) - n*p); deviation > 5*math.Sqrt(n*p*(1-p)) {
					t.Errorf("%v: %v went up %d times of %d, want %.1f", f, v, up, n, n*p)
				}
			}
		}
	})
}

// TestStochasticThresholds tries the numbers of random bits on both sides of each
// threshold: the choice has the probability exactly.
func TestStochasticThresholds(t *testing.T) {
	for _, c := range []struct {
		f     Format
		x     float64
		below uint64 // random numbers that go up, of 2⁶⁴; those at the top where the sum carries
	}{
		{Float16, 0x1p-25, 1 << 63}, {Float16, 0x1p-24 + 0x1p-26, 1 << 62}, {Float16, 0x1p-50, 1 << 38}, {Float16, 0x1p-88, 1},
		{Float16, 0x1.8p-87, 3},
	} {
		b := math.Float32bits(float32(c.x))
		low, high, _ := neighbours(c.f, float32(c.x))
		if got := drawFloat16(b, c.below-1); got != high {
			t.Errorf("%v: %v became %#04x, want %#04x", c.f, c.x, got, high)
		}
		if got := drawFloat16(b, c.below); got != low {
			t.Errorf("%v: %v became %#04x, want %#04x", c.f, c.x, got, low)
		}
	}
	// A threshold below one in 2⁶⁴ is decided by the second draw.
	if got := drawFloat16(math.Float32bits(0x1p-90), 1); got != 0 {
		t.Errorf("became %#04x", got)
	}
	for _, x := range []float32{math.SmallestNonzeroFloat32, 0} {
		if got := drawFloat16(math.Float32bits(x), 1); got != 0 {
			t.Errorf("%v became %#04x", x, got)
		}
	}
	for rest := range uint32(1 << 16) { // all distances of bfloat16: rest in 2¹⁶ go up
		up := 1<<16 - uint64(rest)
		if drawBFloat16(0x3f800000|rest, (up-1)<<48|1<<48-1) != 0x3f80 || rest > 0 && drawBFloat16(0x3f800000|rest, up<<48) != 0x3f81 {
			t.Fatalf("bfloat16: distance %d", rest)
		}
	}
	for rest := range uint32(1 << 13) {
		up := 1<<13 - uint64(rest)
		if drawFloat16(0x3f800000|rest, (up-1)<<51|1<<51-1) != 0x3c00 || rest > 0 && drawFloat16(0x3f800000|rest, up<<51) != 0x3c01 {
			t.Fatalf("float16: distance %d", rest)
		}
	}
}

// TestStochasticAtTheTop: beyond the largest number comes infinity, never a NaN.
func TestStochasticAtTheTop(t *testing.T) {
	inf32 := float32(math.Inf(1))
	x := []float32{65504, 65519, 65535, 65536, 1e30, math.MaxFloat32, inf32, -inf32}
	for step := range int64(200) {
		for _, f := range formats {
			y := append([]float32(nil), x...)
			RoundStochastic(f, y, Key(1, 2, step), 0)
			for i, v := range y {
				exact := float64(x[i])
				if v != v || math.Signbit(float64(v)) != math.Signbit(exact) || f == Float16 && i > 2 && !math.IsInf(float64(v), 0) {
					t.Fatalf("%v: %v became %v", f, exact, v)
				}
			}
			if f == Float16 && y[0] != 65504 {
				t.Fatalf("65504 became %v", y[0])
			}
		}
	}
}

func TestStochasticIsAFunctionOfItsKey(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 3))
	x := make([]float32, 1000)
	for i := range x {
		x[i] = float32(random.NormFloat64())
	}
	pack := func(f Format, key uint64) []uint16 {
		bits := make([]uint16, len(x))
		PackStochastic(f, bits, x, key, 0)
		return bits
	}
	differences := func(a, b []uint16) (n int) {
		for i := range a {
			if a[i] != b[i] {
				n++
			}
		}
		return n
	}
	both(t, func(t *testing.T) {
		for _, f := range formats {
			whole := pack(f, Key(1, 2, 3))
			if differences(whole, pack(f, Key(1, 2, 3))) != 0 {
				t.Fatalf("%v: the same key gives other bits", f)
			}
			for _, key := range []uint64{Key(2, 2, 3), Key(1, 3, 3), Key(1, 2, 4)} {
				if n := differences(whole, pack(f, key)); n < 200 {
					t.Fatalf("%v: another key gives %d other bits of %d", f, n, len(x))
				}
			}
			cut := make([]uint16, len(x))
			for lo := 0; lo < len(x); {
				hi := min(lo+1+random.IntN(40), len(x))
				PackStochastic(f, cut[lo:hi], x[lo:hi], Key(1, 2, 3), lo)
				lo = hi
			}
			if n := differences(whole, cut); n != 0 {
				t.Fatalf("%v: %d elements differ where the slice is cut", f, n)
			}
			y, want := append([]float32(nil), x...), make([]float32, len(x))
			RoundStochastic(f, y, Key(1, 2, 3), 0)
			Expand(f, want, whole)
			for i := range y {
				if math.Float32bits(y[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%v: %v is rounded to %v and packed as %v", f, x[i], y[i], want[i])
				}
			}
		}
	})
}

// TestBitsAreSplitMix64 has the first outputs of the published generator for the seed
// 1234567.
func TestBitsAreSplitMix64(t *testing.T) {
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := simd.Scramble(state(1234567, i)); got != want {
			t.Fatalf("bits %d are %d, want %d", i, got, want)
		}
	}
}

// TestSmallUpdates: a weight at 1 that moves by 2⁻¹² a step stands still where bfloat16
// is rounded to the nearest, and arrives where it is rounded at random.
func TestSmallUpdates(t *testing.T) {
	const n, steps = 1000, 256
	nearest, stochastic := make([]float32, n), make([]float32, n)
	for i := range n {
		nearest[i], stochastic[i] = 1, 1
	}
	for step := range int64(steps) {
		for i := range n {
			nearest[i] += 0x1p-12
			stochastic[i] += 0x1p-12
		}
		Round(BFloat16, nearest)
		RoundStochastic(BFloat16, stochastic, Key(1, 0, step), 0)
	}
	var mean float64
	for i := range n {
		if nearest[i] != 1 {
			t.Fatalf("rounding to the nearest moved 1 to %v", nearest[i])
		}
		mean += float64(stochastic[i]) / n
	}
	// The variance of a step is at most (2⁻⁷)²·p with p = 2⁻⁵.
	if sigma := math.Sqrt(steps * 0x1p-14 * 0x1p-5 / n); math.Abs(mean-(1+steps*0x1p-12)) > 5*sigma {
		t.Fatalf("mean %v, want %v ± %v", mean, 1+steps*0x1p-12, sigma)
	}
}
