package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Pool is the geometry of a pooling of images, rows first, columns second. A window
// is Kernel elements large, the next one begins Stride further (0 means Kernel), the
// first one begins Pad before the image; the padding behind the image has Behind
// elements more, or fewer where Behind is negative. Windows that would reach beyond
// the padding are left out. The padding on each side is from 0 to below Kernel, so
// that each window has elements of the image.
type Pool struct{ Kernel, Stride, Pad, Behind [2]int }

// OutSize is the size of the result for an image of h rows and w columns.
func (p Pool) OutSize(h, w int) (oh, ow int) {
	p = p.filled()
	return (h+p.padding(0)-p.Kernel[0])/p.Stride[0] + 1, (w+p.padding(1)-p.Kernel[1])/p.Stride[1] + 1
}

// padding is how many elements of padding an axis has, those of both sides.
func (p Pool) padding(axis int) int { return 2*p.Pad[axis] + p.Behind[axis] }

func (p Pool) filled() Pool {
	for i, s := range p.Stride {
		if s == 0 {
			p.Stride[i] = p.Kernel[i]
		}
	}
	return p
}

func (p Pool) String() string {
	return fmt.Sprintf("(%v/%v+%v+%v)", p.Kernel, p.Stride, p.Pad, p.Behind)
}

// infer returns the shape of the result for x.
func (p Pool) infer(x tensor.Shape) (tensor.Shape, error) {
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	p = p.filled()
	for i, k := range p.Kernel {
		front, behind := p.Pad[i], p.Pad[i]+p.Behind[i]
		if k < 1 || p.Stride[i] < 1 || min(front, behind) < 0 || max(front, behind) >= k {
			return nil, errors.Errorf("kernel %v, stride %v, padding %d and %d on axis %d: kernel and stride must be positive, padding from 0 to below the kernel", p.Kernel, p.Stride, front, behind, 2+i)
		}
		if x[2+i]+p.padding(i) < k {
			return nil, errors.Errorf("kernel %v is larger than x of shape %v with padding %v", p.Kernel, x, p.Pad)
		}
	}
	oh, ow := p.OutSize(x[2], x[3])
	return tensor.Shape{x[0], x[1], oh, ow}, nil
}

// halves reports whether the windows are 2×2 and do not overlap.
func (p Pool) halves() bool {
	return p.Kernel == [2]int{2, 2} && p.Stride == p.Kernel && p.Pad == [2]int{} && p.Behind == [2]int{}
}

// window is the part of window number i along one axis that lies within n
// elements.
func (p Pool) window(axis, i, n int) (lo, hi int) {
	lo = i*p.Stride[axis] - p.Pad[axis]
	return max(lo, 0), min(lo+p.Kernel[axis], n)
}

func wantImages(s tensor.Shape, operand string) error {
	if s.Dims() != 4 {
		return errors.Errorf("%s has shape %v, not that of images N×C×H×W", operand, s)
	}
	return nil
}

// AvgPool2D is the sum of each window of x, N×C×H×W, divided by the size of the
// kernel; the result is N×C×OH×OW. Padding counts as elements of value 0 (PyTorch's
// count_include_pad, its default). The gradient of x is not computed if x is an input
// of the graph.
func AvgPool2D(x *gorgonia.Node, p Pool) (*gorgonia.Node, error) {
	p = p.filled()
	requiresGrad := x != nil && !isInput(x)
	return applyFloat(&avgPool[float32]{p: p, requiresGrad: requiresGrad}, &avgPool[float64]{p: p, requiresGrad: requiresGrad}, x)
}

// avgPool is the kernel of AvgPool2D.
type avgPool[T Float] struct {
	p            Pool
	requiresGrad bool // x is no input of the graph, so its gradient is needed
	a            *args[T]
	body         func(lo, hi int)
}

func (k *avgPool[T]) name() string                                  { return "avgPool" + k.p.String() }
func (k *avgPool[T]) wrt() []bool                                   { return []bool{k.requiresGrad} }
func (k *avgPool[T]) clone() kernel[T]                              { return &avgPool[T]{p: k.p, requiresGrad: k.requiresGrad} }
func (k *avgPool[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return k.p.infer(in[0]) }

func (k *avgPool[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a = a
	x := a.shapes[0]
	par.For(x[0]*x[1], par.RowGrain(x[2]*x[3]), k.body)
	return nil
}

func (k *avgPool[T]) planes(lo, hi int) {
	h, w := k.a.shapes[0][2], k.a.shapes[0][3]
	oh, ow := k.p.OutSize(h, w)
	f := k.p.share()
	for i := lo; i < hi; i++ {
		x, y := k.a.in[0][i*h*w:(i+1)*h*w], k.a.out[i*oh*ow:(i+1)*oh*ow]
		for r := range oh {
			top, bottom := k.p.window(0, r, h)
			for c := range ow {
				left, right := k.p.window(1, c, w)
				var sum T
				for j := top; j < bottom; j++ {
					for _, v := range x[j*w+left : j*w+right] {
						sum += v
					}
				}
				y[r*ow+c] = sum * T(f)
			}
		}
	}
}

// share is the part that each element of a window has in its mean.
func (p Pool) share() float64 { return 1 / float64(p.Kernel[0]*p.Kernel[1]) }

func (k *avgPool[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if !k.requiresGrad {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&avgPoolGrad[T]{p: k.p, to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// avgPoolGrad adds each dy, divided by the size of the kernel, to the elements
// of its window.
type avgPoolGrad[T Float] struct {
	noGradient[T]
	p    Pool
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *avgPoolGrad[T]) name() string                               { return "avgPoolGrad" + k.p.String() }
func (k *avgPoolGrad[T]) clone() kernel[T]                           { return &avgPoolGrad[T]{p: k.p, to: k.to} }
func (k *avgPoolGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *avgPoolGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a = a
	par.For(k.to[0]*k.to[1], par.RowGrain(k.to[2]*k.to[3]), k.body)
	return nil
}

func (k *avgPoolGrad[T]) planes(lo, hi int) {
	h, w := k.to[2], k.to[3]
	oh, ow := k.a.shapes[0][2], k.a.shapes[0][3]
	f := k.p.share()
	for i := lo; i < hi; i++ {
		dx, dy := k.a.out[i*h*w:(i+1)*h*w], k.a.in[0][i*oh*ow:(i+1)*oh*ow]
		clear(dx)
		for r := range oh {
			top, bottom := k.p.window(0, r, h)
			for c := range ow {
				left, right := k.p.window(1, c, w)
				d := dy[r*ow+c] * T(f)
				for j := top; j < bottom; j++ {
					row := dx[j*w+left : j*w+right]
					for e := range row {
						row[e] += d
					}
				}
			}
		}
	}
}
