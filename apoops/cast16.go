package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
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
	if !f.known() {
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
	return 0, errors.Errorf("apoops: unknown format %q: one of %v", name, formatNames)
}

func (f Format) known() bool { return f >= 0 && int(f) < len(formatNames) }

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
	if !f.known() {
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

// Round16 returns the number of the format that is nearest to x, of two the
// one with an even last bit. It rounds once, whatever T is. Beyond the largest
// number by half a unit or more it is an infinity; a NaN stays a NaN and a zero
// keeps its sign.
func Round16[T Float](f Format, x T) T {
	b := [1]float64{float64(x)}
	f.layout().round(b[:])
	return T(b[0])
}

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

// ToBits returns the bits of the number of the format nearest to x. A NaN
// keeps its sign and the leading bits of its payload, and becomes quiet.
func ToBits(f Format, x float64) uint16 {
	l := f.layout()
	b := math.Float64bits(x)
	sign := uint16(b >> 48 & 0x8000)
	if x != x {
		quiet := b>>(fraction64-l.fraction) | 1<<(l.fraction-1)
		return sign | 0x7fff&^l.mask() | uint16(quiet)&l.mask()
	}
	r := math.Abs(Round16(f, x))
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

// Cast16 rounds each element of x to the nearest number of the format, as
// Round16 does. The result has the shape and the dtype of x. The gradient
// passes straight through, as if nothing had been rounded.
func Cast16(x *gorgonia.Node, f Format) (*gorgonia.Node, error) { return newCast16(x, f, false) }

// CastData16 is Cast16 of data: the result counts as an input of the graph. So no gradient
// is computed by it.
func CastData16(x *gorgonia.Node, f Format) (*gorgonia.Node, error) { return newCast16(x, f, true) }

func newCast16(x *gorgonia.Node, f Format, data bool) (*gorgonia.Node, error) {
	if !f.known() {
		return nil, errors.Errorf("apoops: cast16: format %d is neither %v nor %v", int(f), Float16, BFloat16)
	}
	return applyFloat(&cast16[float32]{format: f, data: data}, &cast16[float64]{format: f, data: data}, x)
}

// cast16 is the kernel of Cast16.
type cast16[T Float] struct {
	format Format
	data   bool // x is data: there is no gradient
	copies bool // the op rounds the result, see Rounder
	a      *args[T]
	body   func(lo, hi int)
}

func (k *cast16[T]) name() string     { return "cast16." + k.format.String() }
func (k *cast16[T]) wrt() []bool      { return []bool{!k.data} }
func (k *cast16[T]) clone() kernel[T] { return &cast16[T]{format: k.format, data: k.data} }
func (k *cast16[T]) isByElement()     {}
func (k *cast16[T]) isInput() bool    { return k.data }

func (k *cast16[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *cast16[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			if k.copies {
				copy(k.a.out[lo:hi], k.a.in[0][lo:hi])
			} else {
				round16(k.format, k.a.out[lo:hi], k.a.in[0][lo:hi])
			}
		}
	}
	k.a = a
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *cast16[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dout}, nil
}

// round16 sets y to x rounded to the format.
func round16[T Float](f Format, y, x []T) {
	var buf vmath.Block
	l := f.layout()
	for len(x) > 0 {
		b := buf[:min(len(x), len(buf))]
		for i, v := range x[:len(b)] {
			b[i] = float64(v)
		}
		l.round(b)
		for i, v := range b {
			y[i] = T(v)
		}
		x, y = x[len(b):], y[len(b):]
	}
}

// expand sets x to the numbers that bits mean in the format, element by element.
func expand(f Format, x []float32, bits []uint16) {
	x = x[:len(bits)]
	if f == BFloat16 {
		for i, b := range bits {
			x[i] = math.Float32frombits(uint32(b) << 16)
		}
		return
	}
	for i, b := range bits {
		x[i] = fromHalf(b)
	}
}

// fromHalf is FromBits of Float16: the exponent is moved to where float32 has it, and a
// product makes up for its bias, of subnormal numbers too.
func fromHalf(b uint16) float32 {
	const largest = 1 << 16
	r := math.Float32frombits(uint32(b&0x7fff)<<13) * 0x1p112
	u := math.Float32bits(r)
	if r >= largest { // infinities and NaNs
		u |= 0x7f800000
	}
	return math.Float32frombits(u | uint32(b&0x8000)<<16)
}

// pack sets bits to those of x rounded to the format, as ToBits.
func pack(f Format, bits []uint16, x []float32) {
	bits = bits[:len(x)]
	if f == BFloat16 {
		for i, v := range x {
			bits[i] = toBrain(math.Float32bits(v))
		}
		return
	}
	for i, v := range x {
		bits[i] = toHalf(math.Float32bits(v))
	}
}

// toBrain is ToBits of BFloat16: the upper half of a float32's bits, rounded.
func toBrain(u uint32) uint16 {
	if u&0x7fffffff > 0x7f800000 {
		return uint16(u>>16) | 0x40 // a quiet NaN
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// toHalf is ToBits of Float16.
func toHalf(u uint32) uint16 {
	const (
		infinity, tooLarge, normal = 0x7f800000, 0x477ff000, 0x38800000 // ∞, 65520, 2⁻¹⁴
		half                       = 0x3f000000                         // whose last bit is that of the smallest subnormal number
	)
	sign, r := uint16(u>>16&0x8000), u&0x7fffffff
	switch {
	case r > infinity:
		return sign | 0x7e00 | uint16(r>>13&0x3ff)
	case r >= tooLarge:
		return sign | 0x7c00
	case r < normal:
		return sign | uint16(math.Float32bits(math.Float32frombits(r)+0.5)-half)
	}
	return sign | uint16((r+0xfff+r>>13&1-(127-15)<<23)>>13)
}

// roundInPlace rounds x to the format.
func roundInPlace(f Format, x []float32) {
	var bits [256]uint16
	for len(x) > 0 {
		part := x[:min(len(x), len(bits))]
		pack(f, bits[:], part)
		expand(f, part, bits[:len(part)])
		x = x[len(part):]
	}
}
