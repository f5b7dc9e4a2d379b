package apoops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// AvgPool2D is the sum of each window of x, N×C×H×W, divided by the size of the
// kernel; the result is N×C×OH×OW. Padding counts as elements of value 0
// (PyTorch's count_include_pad, its default). Where x is an input of the graph
// no gradient with respect to it is computed.
func AvgPool2D(x *gorgonia.Node, p Pool) (*gorgonia.Node, error) {
	p = p.filled()
	inner := x != nil && !isInput(x)
	return pick(&avgPool[float32]{p: p, inner: inner}, &avgPool[float64]{p: p, inner: inner}, x)
}

// avgPool is the kernel of AvgPool2D.
type avgPool[T Float] struct {
	p     Pool
	inner bool // x is computed, so its gradient is wanted
	a     *args[T]
	body  func(lo, hi int)
}

func (k *avgPool[T]) name() string                                  { return "avgPool" + k.p.String() }
func (k *avgPool[T]) wrt() []bool                                   { return []bool{k.inner} }
func (k *avgPool[T]) fresh() kernel[T]                              { return &avgPool[T]{p: k.p, inner: k.inner} }
func (k *avgPool[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return k.p.infer(in[0]) }

func (k *avgPool[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a = a
	x := a.shapes[0]
	par.For(x[0]*x[1], rowGrain(x[2]*x[3]), k.body)
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
	if !k.inner {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&avgPoolGrad[T]{p: k.p, to: in[0].Shape()}, dout)
	return gorgonia.Nodes{dx}, err
}

// avgPoolGrad adds each dy, divided by the size of the kernel, to the elements
// of its window.
type avgPoolGrad[T Float] struct {
	leaf[T]
	p    Pool
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *avgPoolGrad[T]) name() string                               { return "avgPoolGrad" + k.p.String() }
func (k *avgPoolGrad[T]) fresh() kernel[T]                           { return &avgPoolGrad[T]{p: k.p, to: k.to} }
func (k *avgPoolGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *avgPoolGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a = a
	par.For(k.to[0]*k.to[1], rowGrain(k.to[2]*k.to[3]), k.body)
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
