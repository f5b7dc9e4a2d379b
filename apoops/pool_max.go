package apoops

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// MaxPool2D is the maximum of each window of x, N×C×H×W; the result is N×C×OH×OW.
// Padding counts as -Inf. A NaN in a window makes it NaN. The gradient goes to the
// first of equal maxima in row-major order. The gradient of x is not computed if x is
// an input of the graph.
func MaxPool2D(x *gorgonia.Node, p Pool) (*gorgonia.Node, error) {
	p = p.filled()
	requiresGrad := x != nil && !isInput(x)
	return applyFloat(&maxPool[float32]{p: p, requiresGrad: requiresGrad}, &maxPool[float64]{p: p, requiresGrad: requiresGrad}, x)
}

// maxPool is the kernel of MaxPool2D.
type maxPool[T Float] struct {
	p            Pool
	requiresGrad bool // x is no input of the graph, so its gradient is needed
	a            *args[T]
	body         func(lo, hi int)
}

func (k *maxPool[T]) name() string                                  { return "maxPool" + k.p.String() }
func (k *maxPool[T]) wrt() []bool                                   { return []bool{k.requiresGrad} }
func (k *maxPool[T]) clone() kernel[T]                              { return &maxPool[T]{p: k.p, requiresGrad: k.requiresGrad} }
func (k *maxPool[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return k.p.infer(in[0]) }

func (k *maxPool[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a = a
	x := a.shapes[0]
	par.For(x[0]*x[1], par.RowGrain(x[2]*x[3]), k.body)
	return nil
}

func (k *maxPool[T]) planes(lo, hi int) {
	s := k.a.shapes[0]
	h, w := s[2], s[3]
	oh, ow := k.p.OutSize(h, w)
	for i := lo; i < hi; i++ {
		x, y := k.a.in[0][i*h*w:(i+1)*h*w], k.a.out[i*oh*ow:(i+1)*oh*ow]
		if k.p.halves() {
			maxHalves(y, x, oh, ow, w)
		} else {
			k.plane(y, x, oh, ow, h, w)
		}
	}
}

func (k *maxPool[T]) plane(y, x []T, oh, ow, h, w int) {
	for r := range oh {
		top, bottom := k.p.window(0, r, h)
		for c := range ow {
			left, right := k.p.window(1, c, w)
			m := T(math.Inf(-1))
			for i := top; i < bottom; i++ {
				for _, v := range x[i*w+left : i*w+right] {
					if v > m || v != v {
						m = v
					}
				}
			}
			y[r*ow+c] = m
		}
	}
}

// maxHalves is plane for windows of 2×2 side by side.
func maxHalves[T Float](y, x []T, oh, ow, w int) {
	for r := range oh {
		simd.MaxPairs(y[r*ow:][:ow], x[2*r*w:], x[(2*r+1)*w:])
	}
}

func (k *maxPool[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if !k.requiresGrad {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&maxPoolGrad[T]{p: k.p}, in[0], out, dout)
	return gorgonia.Nodes{dx}, err
}

// maxPoolGrad adds each dy to the place of its maximum. It searches for the maximum
// again, which needs no memory for places.
type maxPoolGrad[T Float] struct {
	noGradient[T]
	p    Pool
	a    *args[T]
	body func(lo, hi int)
}

func (k *maxPoolGrad[T]) name() string     { return "maxPoolGrad" + k.p.String() }
func (k *maxPoolGrad[T]) clone() kernel[T] { return &maxPoolGrad[T]{p: k.p} }

func (k *maxPoolGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[1], in[2])
}

func (k *maxPoolGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a = a
	x := a.shapes[0]
	par.For(x[0]*x[1], par.RowGrain(x[2]*x[3]), k.body)
	return nil
}

func (k *maxPoolGrad[T]) planes(lo, hi int) {
	h, w := k.a.shapes[0][2], k.a.shapes[0][3]
	oh, ow := k.a.shapes[1][2], k.a.shapes[1][3]
	for i := lo; i < hi; i++ {
		x, dx := k.a.in[0][i*h*w:(i+1)*h*w], k.a.out[i*h*w:(i+1)*h*w]
		y, dy := k.a.in[1][i*oh*ow:(i+1)*oh*ow], k.a.in[2][i*oh*ow:(i+1)*oh*ow]
		if k.p.halves() {
			maxHalvesGrad(dx, x, y, dy, oh, ow, w)
		} else {
			k.plane(dx, x, y, dy, oh, ow, h, w)
		}
	}
}

func (k *maxPoolGrad[T]) plane(dx, x, y, dy []T, oh, ow, h, w int) {
	clear(dx)
	for r := range oh {
		top, bottom := k.p.window(0, r, h)
		for c := range ow {
			left, right := k.p.window(1, c, w)
			dx[place(x, y[r*ow+c], top, bottom, left, right, w)] += dy[r*ow+c]
		}
	}
}

// place is the index of the first element that equals m, a NaN if m is one, in
// the window of a plane of w columns.
func place[T Float](x []T, m T, top, bottom, left, right, w int) int {
	for i := top; i < bottom; i++ {
		for j, v := range x[i*w+left : i*w+right] {
			if v == m || m != m && v != v {
				return i*w + left + j
			}
		}
	}
	return top*w + left
}

// maxHalvesGrad is plane for windows of 2×2 side by side.
func maxHalvesGrad[T Float](dx, x, y, dy []T, oh, ow, w int) {
	if 2*ow < w || 2*oh*w < len(x) {
		clear(dx) // a last row or column belongs to no window
	}
	for r := range oh {
		top, bottom := 2*r*w, (2*r+1)*w
		simd.MaxPairsGrad(dx[top:], dx[bottom:], x[top:], x[bottom:], y[r*ow:][:ow], dy[r*ow:])
	}
}
