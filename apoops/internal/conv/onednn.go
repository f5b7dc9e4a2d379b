package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// oneDNN computes a convolution of float32, or of the bits of bfloat16, with oneDNN.
type oneDNN[E dnn.Element] struct {
	c       Geometry
	rows    int // of W without the bias
	outputs int
	conv    *dnn.Convolution[E]
}

// newOneDNN returns an Engine[float32], or nil where the library is absent or
// refuses.
func newOneDNN(c Geometry, x []int, outputs int) any {
	k, err := openOneDNN(c, x, outputs, dnn.Activation[float32]{
		Apply: func(z []float32) { vmath.Forward(c.Activation, z) },
		Grad:  func(dz, y, dy []float32) { vmath.Backward(c.Activation, dz, y, dy) },
	})
	if err != nil {
		return nil
	}
	return k
}

// openOneDNN compiles the convolution; act is what the geometry's activation does.
func openOneDNN[E dnn.Element](c Geometry, x []int, outputs int, act dnn.Activation[E]) (*oneDNN[E], error) {
	c = c.Filled()
	if c.Activation == vmath.Identity {
		act = dnn.Activation[E]{}
	}
	conv, err := dnn.NewConvolution(dnn.Shape{
		N: x[0], C: x[1], H: x[2], W: x[3], Out: outputs,
		Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation,
		BlockedX: c.BlockedX, BlockedY: c.BlockedY,
	}, act)
	if err != nil {
		return nil, err
	}
	return &oneDNN[E]{c: c, rows: x[1] * c.Kernel[0] * c.Kernel[1], outputs: outputs, conv: conv}, nil
}

// split returns the weights and the bias, nil where there is none, of W or dW.
func split[V, E dnn.Element](k *oneDNN[E], w []V) (weights, bias []V) {
	n := k.rows * k.outputs
	if k.c.NoBias {
		return w[:n], nil
	}
	return w[:n], w[n:]
}

func (k *oneDNN[E]) Forward(x, w, y []E) error {
	w, b := split(k, w)
	return k.conv.Forward(x, w, b, y)
}

func (k *oneDNN[E]) GradX(dy, y, w, dx []E) error {
	w, _ = split(k, w)
	return k.conv.Backward(nil, w, y, dy, dx, nil, nil)
}

func (k *oneDNN[E]) GradW(x, dy, y []E, dw []float32) error {
	dw, db := split(k, dw)
	return k.conv.Backward(x, nil, y, dy, nil, dw, db)
}
