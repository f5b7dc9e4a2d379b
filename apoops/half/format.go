package half

import (
	"math"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Format is a floating-point format of 16 bits. In functions that return no
// error a Format that is none of the constants counts as Float16.
type Format int

// The formats: IEEE 754 binary16 with 5 bits of exponent and 10 of fraction,
// and bfloat16 with 8 and 7. Both have subnormals, infinities and NaNs.
const (
	Float16 Format = iota
	BFloat16
)

var formatNames = [...]string{"float16", "bfloat16"}

// String is the format's name in lower case.
func (f Format) String() string {
	if !f.Known() {
		return "unknown format"
	}
	return formatNames[f]
}

// ParseFormat is the inverse of Format.String.
func ParseFormat(name string) (Format, error) {
	for i, n := range formatNames {
		if n == name {
			return Format(i), nil
		}
	}
	return 0, errors.Errorf("half: unknown format %q: one of %v", name, formatNames)
}

// Known reports whether f is one of the constants.
func (f Format) Known() bool { return f >= 0 && int(f) < len(formatNames) }

// Max is the format's largest number: 65504 or about 3.39e38.
func (f Format) Max() float64 {
	l := f.layout()
	return l.limit - math.Ldexp(l.limit, -1-int(l.fraction))
}

// layout says how the numbers of a format are made up.
type layout struct {
	fraction        uint    // bits of fraction
	bias            int     // of the exponent
	lowest, highest uint64  // the exponent of the smallest normal number and that of infinity, as float64s have them
	limit           float64 // the first number that is too large
}

var layouts = [...]layout{Float16: newLayout(10, 15), BFloat16: newLayout(7, 127)}

func newLayout(fraction uint, bias int) layout {
	return layout{
		fraction: fraction, bias: bias,
		lowest: uint64(bias64 + 1 - bias), highest: uint64(bias64 + 1 + bias),
		limit: math.Ldexp(1, bias+1),
	}
}

// layout of a value that is not one of the constants is Float16's.
func (f Format) layout() *layout {
	if !f.Known() {
		f = Float16
	}
	return &layouts[f]
}

// The format of a float64.
const (
	fraction64 = 52
	bias64     = 1023
	sign64     = 1 << 63
)

// round rounds each x. It adds and takes away a power of two so large that the
// last bit of the sum is the last bit of the format at |x|, or the bit of the
// smallest subnormal number where x is smaller than the normal ones.
func (l *layout) round(x []float64) {
	for i, v := range x {
		b := math.Float64bits(v)
		exponent := min(max(b&^sign64>>fraction64, l.lowest), l.highest)
		unit := math.Float64frombits((exponent + fraction64 - uint64(l.fraction)) << fraction64)
		r := math.Abs(v) + unit - unit
		if r >= l.limit {
			r = math.Inf(1)
		}
		x[i] = math.Copysign(r, v)
	}
}

// Nearest returns the number of the format that is nearest to x, see Round.
func Nearest(f Format, x float64) float64 {
	b := [1]float64{x}
	f.layout().round(b[:])
	return b[0]
}

// ToBits returns the bits of the number of the format nearest to x, of two the one
// with an even last bit. A NaN keeps its sign and the leading bits of its payload, and
// becomes quiet.
func ToBits(f Format, x float64) uint16 {
	l := f.layout()
	b := math.Float64bits(x)
	sign := uint16(b >> 48 & 0x8000)
	if x != x {
		quiet := b>>(fraction64-l.fraction) | 1<<(l.fraction-1)
		return sign | 0x7fff&^l.mask() | uint16(quiet)&l.mask()
	}
	r := Nearest(f, math.Abs(x))
	smallest := math.Ldexp(1, 1-l.bias)
	switch {
	case math.IsInf(r, 1):
		return sign | 0x7fff&^l.mask()
	case r < smallest:
		return sign | uint16(r/smallest*float64(uint(1)<<l.fraction))
	}
	return sign | uint16(math.Float64bits(r)>>(fraction64-l.fraction)-uint64(bias64-l.bias)<<l.fraction)
}

// FromBits returns the number that the bits mean in the format.
func FromBits(f Format, bits uint16) float64 {
	l := f.layout()
	sign := uint64(bits&0x8000) << 48
	exponent, fraction := uint64(bits&0x7fff>>l.fraction), uint64(bits&l.mask())
	switch exponent {
	case 0:
		return math.Float64frombits(sign | math.Float64bits(math.Ldexp(float64(fraction), 1-l.bias-int(l.fraction))))
	case uint64(0x7fff >> l.fraction):
		exponent = 2*bias64 + 1
	default:
		exponent += uint64(bias64 - l.bias)
	}
	return math.Float64frombits(sign | exponent<<fraction64 | fraction<<(fraction64-l.fraction))
}

// mask selects the fraction of a number's bits.
func (l layout) mask() uint16 { return 1<<l.fraction - 1 }

// Round replaces each x by the number of the format that is nearest to it, of two the
// one with an even last bit. It rounds once, whatever T is. Beyond the largest number
// by half a unit or more that is an infinity; a NaN stays a NaN and a zero keeps its
// sign. In float32 it is Expand of Pack, bit for bit.
func Round[T blas.Float](f Format, x []T) {
	blas.Pick[T, any](round32, round64).(func(Format, []T))(f, x)
}

func round64(f Format, x []float64) { f.layout().round(x) }
