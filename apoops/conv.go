package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/conv"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// Conv is the geometry of a 2-D convolution, rows first, columns second. A patch has
// Kernel elements a channel, Dilation apart (0 means 1), the next one begins Stride
// further (0 means 1), the first one begins Pad before the image, which is surrounded
// by zeros.
type Conv struct {
	Kernel, Stride, Pad, Dilation [2]int
	// NoBias leaves the bias out: the weights have no last row for it.
	NoBias bool
	// Activation is applied to the result.
	Activation Activation
}

// Conv2D is a convolution (cross-correlation) of images with the bias folded
// into its weights, a matrix as that of Dense that acts on patches:
//
//	y[n,o,i,j] = act(Σ_k patch(x,n,i,j)[k]·W[k,o] + W[C·kh·kw,o])
//
// x is N×C×H×W, W is (C·kh·kw+1)×O with the elements of a patch in the order channel,
// row, column and the bias as its last row, y is N×O×OH×OW with the sizes of OutSize.
// The gradient of x is not computed if x is an input of the graph.
func Conv2D(x, w *gorgonia.Node, c Conv) (*gorgonia.Node, error) {
	if x == nil || w == nil {
		return nil, errors.New("apoops: conv: x or W is nil")
	}
	if !c.Activation.known() {
		return nil, errors.Errorf("apoops: conv: %v", c.Activation)
	}
	s := convSettings{Conv: c.filled(), requiresGrad: !isInput(x)}
	return applyFloat(&conv2D[float32]{convSettings: s}, &conv2D[float64]{convSettings: s}, x, w)
}

// OutSize is the size of the result for an image of h rows and w columns.
func (c Conv) OutSize(h, w int) (oh, ow int) { return c.geometry().OutSize(h, w) }

// geometry is c as package conv takes it.
func (c Conv) geometry() conv.Geometry {
	return conv.Geometry{Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation,
		NoBias: c.NoBias, Activation: vmath.Activation(c.Activation)}
}

// geometryOf is geometry for images in blocks of channels.
func (c Conv) geometryOf(x, y bool) conv.Geometry {
	g := c.geometry()
	g.BlockedX, g.BlockedY = x, y
	return g
}

// The numbers of conv2D.blocks and those of its gradients.
const (
	blocksOfX = 1 + iota
	blocksOfY
)

// blocks implements blockable for images of shape x, whose number and that of y the arrays
// have.
func (c Conv) blocks(x tensor.Shape, outputs int, bits bool, arrays ...int) ([]int, bool) {
	if x[1]%dnn.Block != 0 && outputs%dnn.Block != 0 || !conv.Blocks(c.geometry(), x, outputs, bits) {
		return nil, false
	}
	return arrays, true
}

// filled is c with 1 for every stride and dilation of 0.
func (c Conv) filled() Conv {
	g := c.geometry().Filled()
	c.Stride, c.Dilation = g.Stride, g.Dilation
	return c
}

func (c Conv) String() string {
	return fmt.Sprintf("(%v/%v+%v*%v).%v", c.Kernel, c.Stride, c.Pad, c.Dilation, c.Activation)
}

// bias is the number of rows of W that hold the bias.
func (c Conv) bias() int { return extraRow(!c.NoBias) }

func (c Conv) hasBiasRow() bool { return !c.NoBias }

// check reports a geometry that does not fit images of shape x.
func (c Conv) check(x tensor.Shape) error {
	if err := wantImages(x, "x"); err != nil {
		return err
	}
	for i, k := range c.Kernel {
		if k < 1 || c.Stride[i] < 1 || c.Pad[i] < 0 || c.Dilation[i] < 1 {
			return errors.Errorf("kernel %v, stride %v, padding %v, dilation %v: all must be positive, padding at least 0", c.Kernel, c.Stride, c.Pad, c.Dilation)
		}
		if c.Dilation[i]*(k-1)+1 > x[2+i]+2*c.Pad[i] {
			return errors.Errorf("kernel %v with dilation %v is larger than x of shape %v with padding %v", c.Kernel, c.Dilation, x, c.Pad)
		}
	}
	return nil
}

// infer returns the shape of the result.
func (c Conv) infer(x, w tensor.Shape) (tensor.Shape, error) {
	if err := c.check(x); err != nil {
		return nil, err
	}
	if err := wantMatrix(w, "W"); err != nil {
		return nil, err
	}
	if want := x[1]*c.Kernel[0]*c.Kernel[1] + c.bias(); w[0] != want {
		return nil, errors.Errorf("x of shape %v and kernel %v need W with %d rows (%d of them the bias), not %v", x, c.Kernel, want, c.bias(), w)
	}
	oh, ow := c.OutSize(x[2], x[3])
	return tensor.Shape{x[0], w[1], oh, ow}, nil
}

type convSettings struct {
	Conv
	requiresGrad bool // x is no input of the graph, so its gradient is needed
}

// conv2D is the kernel of Conv2D.
type conv2D[T Float] struct {
	convSettings
	engine conv.Engine[T]
	bits   conv.Bits
}

func (k *conv2D[T]) name() string     { return "conv" + k.Conv.String() }
func (k *conv2D[T]) wrt() []bool      { return []bool{k.requiresGrad, true} }
func (k *conv2D[T]) clone() kernel[T] { return &conv2D[T]{convSettings: k.convSettings} }

func (k *conv2D[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return k.Conv.infer(in[0], in[1]) }

func (k *conv2D[T]) blocks(in []tensor.Shape, bits bool) ([]int, bool) {
	return k.Conv.blocks(in[0], in[1][1], bits, blocksOfX, 0, blocksOfY)
}

func (k *conv2D[T]) run(a *args[T]) error {
	if k.engine == nil {
		k.engine = conv.New[T](k.Conv.geometryOf(a.inBlocks(0), a.blockResult()), a.shapes[0], a.shapes[1][1])
	}
	return k.engine.Forward(a.in[0], a.in[1], a.out)
}

func (k *conv2D[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dz := k.Conv.dzOperands(out, dout)
	var dx *gorgonia.Node
	var err error
	if k.requiresGrad {
		if dx, err = apply(&convGradX[T]{c: k.Conv, x: in[0].Shape().Clone()}, append(gorgonia.Nodes{in[1]}, dz...)...); err != nil {
			return nil, err
		}
	}
	dw, err := apply(&convGradW[T]{c: k.Conv}, append(gorgonia.Nodes{in[0]}, dz...)...)
	return gorgonia.Nodes{dx, dw}, err
}

// dzOperands are the nodes that dz = act'(z)·dy, the gradient with respect to the
// pre-activations, is computed from: dy and, unless the activation is the identity,
// y.
func (c Conv) dzOperands(y, dy *gorgonia.Node) gorgonia.Nodes {
	if c.Activation == Identity {
		return gorgonia.Nodes{dy}
	}
	return gorgonia.Nodes{dy, y}
}

// dzValues are the values of dzOperands; y is nil for the identity.
func dzValues[E Element](in [][]E) (dy, y []E) {
	if len(in) > 1 {
		y = in[1]
	}
	return in[0], y
}

// convGradX is the kernel of the gradient with respect to x, whose shape it keeps.
// Its operands are W and dzOperands.
type convGradX[T Float] struct {
	noGradient[T]
	c      Conv
	x      tensor.Shape
	engine conv.Engine[T]
	bits   conv.Bits
}

func (k *convGradX[T]) name() string     { return "convGradX" + k.c.String() }
func (k *convGradX[T]) clone() kernel[T] { return &convGradX[T]{c: k.c, x: k.x} }

func (k *convGradX[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	want, err := k.c.infer(k.x, in[0])
	if err != nil {
		return nil, err
	}
	return k.x.Clone(), sameShapes(want, in[1:])
}

func (k *convGradX[T]) blocks(in []tensor.Shape, bits bool) ([]int, bool) {
	arrays := append([]int{0, blocksOfY, blocksOfY}[:len(in)], blocksOfX)
	return k.c.blocks(k.x, in[0][1], bits, arrays...)
}

func (k *convGradX[T]) run(a *args[T]) error {
	if k.engine == nil {
		k.engine = conv.New[T](k.c.geometryOf(a.blockResult(), a.inBlocks(1)), k.x, a.shapes[0][1])
	}
	dy, y := dzValues(a.in[1:])
	return k.engine.GradX(dy, y, a.in[0], a.out)
}

// convGradW is the kernel of the gradient with respect to W. Its operands are x and
// dzOperands.
type convGradW[T Float] struct {
	noGradient[T]
	c      Conv
	engine conv.Engine[T]
	bits   conv.Bits
}

func (k *convGradW[T]) name() string     { return "convGradW" + k.c.String() }
func (k *convGradW[T]) clone() kernel[T] { return &convGradW[T]{c: k.c} }

func (k *convGradW[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x, dy := in[0], in[1]
	if err := wantImages(dy, "dy"); err != nil {
		return nil, err
	}
	w := tensor.Shape{x[1]*k.c.Kernel[0]*k.c.Kernel[1] + k.c.bias(), dy[1]}
	want, err := k.c.infer(x, w)
	if err != nil {
		return nil, err
	}
	return w, sameShapes(want, in[1:])
}

func (k *convGradW[T]) blocks(in []tensor.Shape, bits bool) ([]int, bool) {
	arrays := append([]int{blocksOfX, blocksOfY, blocksOfY}[:len(in)], 0)
	return k.c.blocks(in[0], in[1][1], bits, arrays...)
}

func (k *convGradW[T]) run(a *args[T]) error {
	if k.engine == nil {
		k.engine = conv.New[T](k.c.geometryOf(a.inBlocks(0), a.inBlocks(1)), a.shapes[0], a.shapes[1][1])
	}
	dy, y := dzValues(a.in[1:])
	return k.engine.GradW(a.in[0], dy, y, a.out)
}

// sameShapes reports the first shape that is not the one wanted.
func sameShapes(want tensor.Shape, got []tensor.Shape) error {
	for _, s := range got {
		if err := sameShape(s, want); err != nil {
			return err
		}
	}
	return nil
}
