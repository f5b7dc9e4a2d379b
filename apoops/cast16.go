package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Cast16 rounds each element of x to the nearest number of the format, as
// Round16 does. The result has the shape and the dtype of x. The gradient
// passes straight through, as if nothing had been rounded.
func Cast16(x *gorgonia.Node, f Format) (*gorgonia.Node, error) {
	if !f.known() {
		return nil, errors.Errorf("apoops: cast16: format %d is neither %v nor %v", int(f), Float16, BFloat16)
	}
	return pick(&cast16[float32]{format: f}, &cast16[float64]{format: f}, x)
}

// cast16 is the kernel of Cast16.
type cast16[T Float] struct {
	format Format
	a      *args[T]
	body   func(lo, hi int)
}

func (k *cast16[T]) name() string     { return "cast16." + k.format.String() }
func (k *cast16[T]) wrt() []bool      { return []bool{true} }
func (k *cast16[T]) fresh() kernel[T] { return &cast16[T]{format: k.format} }

func (k *cast16[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *cast16[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) { round16(k.format, k.a.out[lo:hi], k.a.in[0][lo:hi]) }
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
	var buf scratch
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
