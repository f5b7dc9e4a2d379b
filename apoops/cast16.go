package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Format is a floating-point format of 16 bits, see package half. In functions that
// return no error a Format that is none of the constants counts as Float16.
type Format = half.Format

// The formats: IEEE 754 binary16 with 5 bits of exponent and 10 of fraction,
// and bfloat16 with 8 and 7. Both have subnormals, infinities and NaNs.
const (
	Float16  = half.Float16
	BFloat16 = half.BFloat16
)

// ParseFormat is the inverse of Format.String.
func ParseFormat(name string) (Format, error) { return half.ParseFormat(name) }

// Round16 returns the number of the format that is nearest to x, of two the
// one with an even last bit. It rounds once, whatever T is. Beyond the largest
// number by half a unit or more it is an infinity; a NaN stays a NaN and a zero
// keeps its sign.
func Round16[T Float](f Format, x T) T { return T(half.Nearest(f, float64(x))) }

// ToBits returns the bits of the number of the format nearest to x. A NaN
// keeps its sign and the leading bits of its payload, and becomes quiet.
func ToBits(f Format, x float64) uint16 { return half.ToBits(f, x) }

// FromBits returns the number that the bits mean in the format.
func FromBits(f Format, bits uint16) float64 { return half.FromBits(f, bits) }

// Cast16 rounds each element of x to the nearest number of the format, as
// Round16 does. The result has the shape and the dtype of x. The gradient
// passes straight through, as if nothing had been rounded.
func Cast16(x *gorgonia.Node, f Format) (*gorgonia.Node, error) { return newCast16(x, f, false) }

// CastData16 is Cast16 of data: the result counts as an input of the graph. So no gradient
// is computed by it.
func CastData16(x *gorgonia.Node, f Format) (*gorgonia.Node, error) { return newCast16(x, f, true) }

func newCast16(x *gorgonia.Node, f Format, data bool) (*gorgonia.Node, error) {
	if !f.Known() {
		return nil, errors.Errorf("apoops: cast16: format %d is neither %v nor %v", int(f), Float16, BFloat16)
	}
	return applyFloat(&cast16[float32]{format: f, data: data}, &cast16[float64]{format: f, data: data}, x)
}

// cast16 is the kernel of Cast16.
type cast16[T Float] struct {
	format Format
	data   bool // x is data: there is no gradient
	copies bool // the op rounds the result, see Rounder
	loop   loop[T]
}

func (k *cast16[T]) name() string     { return "cast16." + k.format.String() }
func (k *cast16[T]) wrt() []bool      { return []bool{!k.data} }
func (k *cast16[T]) clone() kernel[T] { return &cast16[T]{format: k.format, data: k.data} }
func (k *cast16[T]) isInput() bool    { return k.data }

func (k *cast16[T]) copiesElements() bool { return k.copies }

func (k *cast16[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *cast16[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *cast16[T]) chunk(a *args[T], lo, hi int) {
	copy(a.out[lo:hi], a.in[0][lo:hi])
	if !k.copies {
		half.Round(k.format, a.out[lo:hi])
	}
}

func (k *cast16[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dout}, nil
}

// RoundAll rounds each element of x times scale, a power of two, to the format, to nearest
// even, and divides by scale.
func RoundAll(f Format, x []float32, scale float64) {
	s, inverse := float32(scale), float32(1/scale)
	par.For(len(x), par.Grain, func(lo, hi int) {
		part := x[lo:hi]
		for i := range part {
			part[i] *= s
		}
		half.Round(f, part)
		for i := range part {
			part[i] *= inverse
		}
	})
}
