package half

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/x448/float16"
)

var inf = math.Inf(1)

var formats = []Format{Float16, BFloat16}

func sameFloat(a, b float64) bool {
	return a != a && b != b || math.Float64bits(a) == math.Float64bits(b)
}

// rounded is Round of one float32.
func rounded(f Format, x float32) float64 {
	b := [1]float32{x}
	Round(f, b[:])
	return float64(b[0])
}

func TestFormatNames(t *testing.T) {
	for _, f := range formats {
		if g, err := ParseFormat(f.String()); err != nil || g != f {
			t.Fatalf("ParseFormat(%v) = %v, %v", f, g, err)
		}
	}
	if _, err := ParseFormat("float8"); err == nil {
		t.Fatal("float8 was accepted")
	}
	if s := Format(9).String(); s != "unknown format" {
		t.Fatalf("Format(9) is %q", s)
	}
}

// TestFormatsRoundTrip goes through all bit patterns.
func TestFormatsRoundTrip(t *testing.T) {
	for _, f := range formats {
		for b := range 1 << 16 {
			x := FromBits(f, uint16(b))
			if !sameFloat(Nearest(f, x), x) || !sameFloat(rounded(f, float32(x)), x) {
				t.Fatalf("%v: %#04x means %v but rounds to %v", f, b, x, Nearest(f, x))
			}
			back := ToBits(f, x)
			if x == x && int(back) != b {
				t.Fatalf("%v: %#04x means %v, whose bits are %#04x", f, b, x, back)
			}
			if x != x && (FromBits(f, back) == FromBits(f, back) || back>>15 != uint16(b>>15)) {
				t.Fatalf("%v: the NaN %#04x became %#04x", f, b, back)
			}
		}
	}
}

// TestFormatsRoundToNearestEven looks at the midpoints of all neighbours, of
// both signs and both dtypes, and at the float64 next to them, which rounding
// through float32 would get wrong.
func TestFormatsRoundToNearestEven(t *testing.T) {
	for _, f := range formats {
		infinity := ToBits(f, inf)
		for b := range infinity {
			low, high := FromBits(f, b), FromBits(f, b+1)
			if b+1 == infinity { // as if the format went on
				high = 2*low - FromBits(f, b-1)
			}
			middle := low + (high-low)/2
			even := b + b%2
			for _, c := range []struct {
				x    float64
				want uint16
			}{{math.Nextafter(middle, 0), b}, {middle, even}, {math.Nextafter(middle, inf), b + 1}} {
				for _, sign := range []float64{1, -1} {
					want := sign * FromBits(f, c.want)
					if got := Nearest(f, sign*c.x); !sameFloat(got, want) {
						t.Fatalf("%v: %v rounds to %v, want %v", f, sign*c.x, got, want)
					}
					if x32 := float32(c.x); float64(x32) == c.x {
						if got := rounded(f, float32(sign)*x32); !sameFloat(got, want) {
							t.Fatalf("%v: float32 %v rounds to %v, want %v", f, x32, got, want)
						}
					}
				}
			}
		}
	}
}

// TestNearestRoundsOnce has a number that becomes a midpoint in float32.
func TestNearestRoundsOnce(t *testing.T) {
	for _, c := range []struct {
		f Format
		x float64
	}{{Float16, 1 + 0x1p-11 + 0x1p-40}, {BFloat16, 1 + 0x1p-8 + 0x1p-40}, {Float16, 0x1p-25 + 0x1p-60}} {
		once, twice := Nearest(c.f, c.x), Nearest(c.f, float64(float32(c.x)))
		if once <= twice {
			t.Fatalf("%v: %v rounds to %v, and through float32 to %v", c.f, c.x, once, twice)
		}
	}
}

func TestFormatLimits(t *testing.T) {
	for _, c := range []struct {
		f       Format
		x, want float64
	}{
		{Float16, 65504, 65504}, {Float16, 65519.999, 65504}, {Float16, 65520, inf}, {Float16, -1e300, -inf}, {Float16, math.MaxFloat64, inf},
		{Float16, 0x1p-24, 0x1p-24}, {Float16, 0x1p-25, 0}, {Float16, 5e-324, 0}, {Float16, inf, inf},
		{BFloat16, 0x1.fep127, 0x1.fep127}, {BFloat16, 0x1.ffp127, inf}, {BFloat16, 0x1p-133, 0x1p-133}, {BFloat16, 0x1p-134, 0},
		{BFloat16, math.Copysign(0, -1), math.Copysign(0, -1)}, {Float16, -1e-30, math.Copysign(0, -1)},
	} {
		if got := Nearest(c.f, c.x); !sameFloat(got, c.want) {
			t.Fatalf("%v: %v rounds to %v, want %v", c.f, c.x, got, c.want)
		}
	}
}

// TestFloat16AgainstAnother compares with github.com/x448/float16 over all bit
// patterns and many float32.
func TestFloat16AgainstAnother(t *testing.T) {
	for b := range 1 << 16 {
		if got, want := FromBits(Float16, uint16(b)), float64(float16.Frombits(uint16(b)).Float32()); !sameFloat(got, want) {
			t.Fatalf("%#04x means %v, want %v", b, got, want)
		}
	}
	rng := rand.New(rand.NewPCG(16, 1))
	for range 2_000_000 {
		bits := rng.Uint32()
		if rng.IntN(2) == 0 { // where float16 has its numbers
			bits = bits&0x8fffffff | 0x30000000
		}
		x := math.Float32frombits(bits)
		want := float16.Fromfloat32(x)
		if got := ToBits(Float16, float64(x)); x == x && got != want.Bits() {
			t.Fatalf("%v has bits %#04x, want %#04x", x, got, want.Bits())
		}
		if got := rounded(Float16, x); !sameFloat(got, float64(want.Float32())) {
			t.Fatalf("%v rounds to %v, want %v", x, got, want.Float32())
		}
	}
}

// TestBFloat16AgainstBits compares with rounding the upper half of a float32.
func TestBFloat16AgainstBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 2))
	for range 2_000_000 {
		bits := rng.Uint32()
		x := math.Float32frombits(bits)
		if x != x {
			continue
		}
		want := uint16((bits + 0x7fff + bits>>16&1) >> 16)
		if got := ToBits(BFloat16, float64(x)); got != want {
			t.Fatalf("%v has bits %#04x, want %#04x", x, got, want)
		}
		if got := rounded(BFloat16, x); math.Float32bits(float32(got)) != uint32(want)<<16 {
			t.Fatalf("%v rounds to %v", x, got)
		}
	}
}

// TestNearestAgainstBig rounds float64s with math/big, at the precision that
// the format has at their size.
func TestNearestAgainstBig(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 3))
	for range 200_000 {
		f := formats[rng.IntN(2)]
		l := f.layout()
		x := math.Ldexp(1+rng.Float64(), rng.IntN(2*l.bias+20)-l.bias-19)
		precision := int(l.fraction) + 1
		if _, e := math.Frexp(x); e < 2-l.bias { // subnormal
			precision -= 2 - l.bias - e
		}
		if precision < 1 {
			continue
		}
		want, _ := new(big.Float).SetPrec(uint(precision)).SetFloat64(x).Float64()
		if want >= l.limit {
			want = inf
		}
		if got := Nearest(f, x); got != want {
			t.Fatalf("%v: %v rounds to %v, want %v", f, x, got, want)
		}
	}
}
