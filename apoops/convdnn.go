package apoops

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// dnnConv computes a convolution of float32 with oneDNN.
type dnnConv struct {
	c       Conv
	rows    int // of W without the bias
	outputs int
	*dnn.Convolution
}

// newDNNConv returns a convEngine[float32], or nil where the library is absent or
// refuses.
func newDNNConv(c Conv, x tensor.Shape, outputs int) any {
	c = c.filled()
	act := dnn.Activation{}
	if c.Activation != Identity {
		act.Apply = func(z []float32) { forward(c.Activation, z) }
		act.Grad = func(dz, y, dy []float32) { backward(c.Activation, dz, y, dy) }
	}
	conv, err := dnn.NewConvolution(dnn.Shape{
		N: x[0], C: x[1], H: x[2], W: x[3], Out: outputs,
		Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation,
	}, act)
	if err != nil {
		return nil
	}
	return &dnnConv{c: c, rows: x[1] * c.Kernel[0] * c.Kernel[1], outputs: outputs, Convolution: conv}
}

// split returns the weights and the bias, nil where there is none.
func (k *dnnConv) split(w []float32) (weights, bias []float32) {
	n := k.rows * k.outputs
	if k.c.NoBias {
		return w[:n], nil
	}
	return w[:n], w[n:]
}

func (k *dnnConv) forward(x, w, y []float32) error {
	w, b := k.split(w)
	return k.Forward(x, w, b, y)
}

func (k *dnnConv) gradX(dy, y, w, dx []float32) error {
	w, _ = k.split(w)
	return k.Backward(nil, w, y, dy, dx, nil, nil)
}

func (k *dnnConv) gradW(x, dy, y, dw []float32) error {
	dw, db := k.split(dw)
	return k.Backward(x, nil, y, dy, nil, dw, db)
}
