package apoops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Log2 is the logarithm of base 2 by element. (The gradient of Gorgonia's is
// wrong.)
func Log2(x *gorgonia.Node) (*gorgonia.Node, error) { return elementwise(log2, x) }

// InverseSqrt is 1/√x by element. (The gradient of Gorgonia's is wrong.)
func InverseSqrt(x *gorgonia.Node) (*gorgonia.Node, error) { return elementwise(inverseSqrt, x) }

// function is a function of numbers with its derivative, given x and y = f(x).
type function struct {
	name       string
	value      func(x float64) float64
	derivative func(x, y float64) float64
}

var (
	log2 = &function{
		name:       "log2",
		value:      math.Log2,
		derivative: func(x, _ float64) float64 { return 1 / (x * math.Ln2) },
	}
	inverseSqrt = &function{
		name:       "inverseSqrt",
		value:      func(x float64) float64 { return 1 / math.Sqrt(x) },
		derivative: func(x, y float64) float64 { return -y / (2 * x) },
	}
)

func elementwise(f *function, x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&pointwise[float32]{f: f}, &pointwise[float64]{f: f}, x)
}

// pointwise is the kernel y = f(x) by element.
type pointwise[T Float] struct {
	f    *function
	loop loop[T]
}

func (k *pointwise[T]) name() string                                  { return k.f.name }
func (k *pointwise[T]) wrt() []bool                                   { return []bool{true} }
func (k *pointwise[T]) clone() kernel[T]                              { return &pointwise[T]{f: k.f} }
func (k *pointwise[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *pointwise[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *pointwise[T]) chunk(a *args[T], lo, hi int) {
	y, x := a.out[lo:hi], a.in[0][lo:hi]
	for i, v := range x {
		y[i] = T(k.f.value(float64(v)))
	}
}

func (k *pointwise[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&pointwiseGrad[T]{f: k.f}, in[0], out, dout)
	return gorgonia.Nodes{dx}, err
}

// pointwiseGrad is the kernel dx = f'(x)·dy; its operands are x, y and dy.
type pointwiseGrad[T Float] struct {
	noGradient[T]
	f    *function
	loop loop[T]
}

func (k *pointwiseGrad[T]) name() string     { return k.f.name + "Grad" }
func (k *pointwiseGrad[T]) clone() kernel[T] { return &pointwiseGrad[T]{f: k.f} }

func (k *pointwiseGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[2])
}

func (k *pointwiseGrad[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *pointwiseGrad[T]) chunk(a *args[T], lo, hi int) {
	dx, x, y, dy := a.out[lo:hi], a.in[0][lo:hi], a.in[1][lo:hi], a.in[2][lo:hi]
	for i, v := range x {
		dx[i] = T(k.f.derivative(float64(v), float64(y[i])) * float64(dy[i]))
	}
}

// Product is a∘b by element, for arrays of one shape.
func Product(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&product[float32]{}, &product[float64]{}, a, b)
}

// product is the kernel of Product.
type product[T Float] struct{ loop loop[T] }

func (k *product[T]) name() string     { return "product" }
func (k *product[T]) wrt() []bool      { return []bool{true, true} }
func (k *product[T]) clone() kernel[T] { return &product[T]{} }

func (k *product[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *product[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *product[T]) chunk(a *args[T], lo, hi int) {
	multiply(a.out[lo:hi], a.in[0][lo:hi], a.in[1][lo:hi])
}

// multiply sets y = a∘b, four elements per iteration, as addTo does.
func multiply[T Float](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	i := 0
	for ; i+4 <= len(y); i += 4 {
		p, q, r := a[i:i+4:i+4], b[i:i+4:i+4], y[i:i+4:i+4]
		r[0] = p[0] * q[0]
		r[1] = p[1] * q[1]
		r[2] = p[2] * q[2]
		r[3] = p[3] * q[3]
	}
	for ; i < len(y); i++ {
		y[i] = a[i] * b[i]
	}
}

func (k *product[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	da, err := apply(&product[T]{}, dout, in[1])
	if err != nil {
		return nil, err
	}
	db, err := apply(&product[T]{}, dout, in[0])
	return gorgonia.Nodes{da, db}, err
}

// Times is factor·x by element, for a number that is known when the graph is made.
func Times(x *gorgonia.Node, factor float64) (*gorgonia.Node, error) {
	return applyFloat(&times[float32]{factor: float32(factor)}, &times[float64]{factor: factor}, x)
}

// times is the kernel factor·x, or factor·x·c for a scalar second operand c, which
// counts as a constant.
type times[T Float] struct {
	factor T
	loop   loop[T]
}

func (k *times[T]) name() string     { return "times" }
func (k *times[T]) wrt() []bool      { return []bool{true} }
func (k *times[T]) clone() kernel[T] { return &times[T]{factor: k.factor} }

func (k *times[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *times[T]) run(a *args[T]) error { return k.loop.run(k, a) }

func (k *times[T]) chunk(a *args[T], lo, hi int) {
	f := k.factor
	if len(a.in) == 2 {
		f *= a.in[1][0]
	}
	out, x := a.out[lo:hi], a.in[0][lo:hi]
	for i, v := range x {
		out[i] = f * v
	}
}

func (k *times[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(&times[T]{factor: k.factor}, append(gorgonia.Nodes{dout}, in[1:]...)...)
	return gorgonia.Nodes{dx, nil}[:len(in)], err
}

// InnerProduct is scale·<y, q>, a scalar. Its gradient is by y alone: scale·q.
func InnerProduct(y, q *gorgonia.Node, scale float64) (*gorgonia.Node, error) {
	return applyFloat(&innerProduct[float32]{scale: scale}, &innerProduct[float64]{scale: scale}, y, q)
}

// innerProduct is the kernel of InnerProduct.
type innerProduct[T Float] struct{ scale float64 }

func (k *innerProduct[T]) name() string     { return fmt.Sprintf("innerProduct(%v)", k.scale) }
func (k *innerProduct[T]) wrt() []bool      { return []bool{true} }
func (k *innerProduct[T]) clone() kernel[T] { return &innerProduct[T]{scale: k.scale} }

func (k *innerProduct[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), sameShape(in[0], in[1])
}

func (k *innerProduct[T]) run(a *args[T]) error {
	var sum float64
	for i, v := range a.in[0] {
		sum += float64(v) * float64(a.in[1][i])
	}
	a.out[0] = T(k.scale * sum)
	return nil
}

func (k *innerProduct[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dy, err := apply(&scaledBy[T]{scale: k.scale}, in[1], dout)
	return gorgonia.Nodes{dy, nil}, err
}

// scaledBy is the kernel scale·s·q of an array q and a scalar s.
type scaledBy[T Float] struct {
	noGradient[T]
	scale float64
}

func (k *scaledBy[T]) name() string     { return fmt.Sprintf("scaledBy(%v)", k.scale) }
func (k *scaledBy[T]) clone() kernel[T] { return &scaledBy[T]{scale: k.scale} }

func (k *scaledBy[T]) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (k *scaledBy[T]) run(a *args[T]) error {
	s := T(k.scale * float64(a.in[1][0]))
	for i, v := range a.in[0] {
		a.out[i] = s * v
	}
	return nil
}

// ScaledSquares is scale·x² by element of one or more arrays, one after the other, as
// a matrix rows×cols. It has no gradient.
func ScaledSquares(scale float64, rows, cols int, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	to := tensor.Shape{rows, cols}
	return applyFloat(&scaledSquares[float32]{scale: scale, to: to}, &scaledSquares[float64]{scale: scale, to: to}, x...)
}

// scaledSquares is the kernel of ScaledSquares.
type scaledSquares[T Float] struct {
	noGradient[T]
	scale float64
	to    tensor.Shape
}

func (k *scaledSquares[T]) name() string { return fmt.Sprintf("scaledSquares(%v)", k.scale) }
func (k *scaledSquares[T]) clone() kernel[T] {
	return &scaledSquares[T]{scale: k.scale, to: k.to}
}

func (k *scaledSquares[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	size := 0
	for _, s := range in {
		size += s.TotalSize()
	}
	if size != k.to.TotalSize() {
		return nil, ErrShape.Errorf("%d elements for a result of shape %v", size, k.to)
	}
	return k.to.Clone(), nil
}

func (k *scaledSquares[T]) run(a *args[T]) error {
	to := a.out
	for _, x := range a.in {
		for i, v := range x {
			to[i] = T(k.scale) * v * v
		}
		to = to[len(x):]
	}
	return nil
}
