package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// oneDNN computes a convolution of float32 with oneDNN.
type oneDNN struct {
	c       Geometry
	rows    int // of W without the bias
	outputs int
	conv    *dnn.Convolution
}

// newOneDNN returns an Engine[float32], or nil where the library is absent or
// refuses.
func newOneDNN(c Geometry, x []int, outputs int) any {
	c = c.Filled()
	act := dnn.Activation{}
	if c.Activation != vmath.Identity {
		act.Apply = func(z []float32) { vmath.Forward(c.Activation, z) }
		act.Grad = func(dz, y, dy []float32) { vmath.Backward(c.Activation, dz, y, dy) }
	}
	conv, err := dnn.NewConvolution(dnn.Shape{
		N: x[0], C: x[1], H: x[2], W: x[3], Out: outputs,
		Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation,
	}, act)
	if err != nil {
		return nil
	}
	return &oneDNN{c: c, rows: x[1] * c.Kernel[0] * c.Kernel[1], outputs: outputs, conv: conv}
}

// split returns the weights and the bias, nil where there is none.
func (k *oneDNN) split(w []float32) (weights, bias []float32) {
	n := k.rows * k.outputs
	if k.c.NoBias {
		return w[:n], nil
	}
	return w[:n], w[n:]
}

func (k *oneDNN) Forward(x, w, y []float32) error {
	w, b := k.split(w)
	return k.conv.Forward(x, w, b, y)
}

func (k *oneDNN) GradX(dy, y, w, dx []float32) error {
	w, _ = k.split(w)
	return k.conv.Backward(nil, w, y, dy, dx, nil, nil)
}

func (k *oneDNN) GradW(x, dy, y, dw []float32) error {
	dw, db := k.split(dw)
	return k.conv.Backward(x, nil, y, dy, nil, dw, db)
}
