package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/bfloat"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Dense is a fully connected layer with the bias folded into its weights:
//
//	y = act(x·W[:n] + W[n])
//
// x is N×n, W is (n+1)×m with the bias as its last row (the homogeneous coordinate of
// Eq. 9), y is N×m. The gradient of x is not computed if x is an input of the graph.
func Dense(x, w *gorgonia.Node, act Activation) (*gorgonia.Node, error) {
	return newDense(x, w, denseSettings{act: act, bias: 1})
}

// Linear is a fully connected layer without bias, y = act(x·W): x is N×n, W is
// n×m, y is N×m.
func Linear(x, w *gorgonia.Node, act Activation) (*gorgonia.Node, error) {
	return newDense(x, w, denseSettings{act: act})
}

// Affine is a fully connected layer whose bias is an operand of its own:
//
//	y = act(x·W + b)
//
// x is N×n, W is n×m, b has m elements in any shape, y is N×m. The gradient of x is
// not computed if x is an input of the graph.
func Affine(x, w, b *gorgonia.Node, act Activation) (*gorgonia.Node, error) {
	if b == nil {
		return nil, errors.New("apoops: dense: b is nil")
	}
	return newDense(x, w, denseSettings{act: act, biasOperand: true}, b)
}

type denseSettings struct {
	act          Activation
	bias         int  // rows of W that hold the bias: 1 or 0
	biasOperand  bool // the bias is the third operand
	requiresGrad bool // x is no input of the graph, so its gradient is needed
}

func (s denseSettings) hasBiasRow() bool { return s.bias > 0 }

// BiasedWeights are the weights of a layer, the node n, whose last row is the bias, as that of
// Dense and Conv2D; nil where n is none such.
func BiasedWeights(n *gorgonia.Node) *gorgonia.Node {
	if k, ok := kernelOf(n.Op()).(interface{ hasBiasRow() bool }); ok && k.hasBiasRow() {
		return Operands(n)[1]
	}
	return nil
}

func newDense(x, w *gorgonia.Node, s denseSettings, b ...*gorgonia.Node) (*gorgonia.Node, error) {
	if x == nil || w == nil {
		return nil, errors.New("apoops: dense: x or W is nil")
	}
	if !s.act.known() {
		return nil, errors.Errorf("apoops: dense: %v", s.act)
	}
	s.requiresGrad = !isInput(x)
	return applyFloat(&dense[float32]{denseSettings: s}, &dense[float64]{denseSettings: s}, append(gorgonia.Nodes{x, w}, b...)...)
}

// dense is the kernel of Dense, Linear and Affine.
type dense[T Float] struct {
	denseSettings
	a    *args[T]
	m    int
	body func(lo, hi int)
	bits bfloat.Product
}

func (k *dense[T]) name() string     { return "dense." + k.act.String() }
func (k *dense[T]) wrt() []bool      { return []bool{k.requiresGrad, true, true} }
func (k *dense[T]) clone() kernel[T] { return &dense[T]{denseSettings: k.denseSettings} }

func (k *dense[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if err := wantMatrix(x, "x"); err != nil {
		return nil, err
	}
	if err := wantMatrix(w, "W"); err != nil {
		return nil, err
	}
	if w[0] != x[1]+k.bias {
		return nil, errors.Errorf("x of shape %v needs W with %d rows (%d of them the bias), not %v", x, x[1]+k.bias, k.bias, w)
	}
	if k.biasOperand && in[2].TotalSize() != w[1] {
		return nil, errors.Errorf("W of shape %v needs a bias of %d elements, not %v", w, w[1], in[2])
	}
	return tensor.Shape{x[0], w[1]}, nil
}

func (k *dense[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.biasAndActivation
	}
	rows, n := a.shapes[0][0], a.shapes[0][1]
	k.a, k.m = a, a.shapes[1][1]
	blas.Gemm(false, false, rows, k.m, n, 1, a.in[0], max(n, 1), a.in[1], k.m, 0, a.out, k.m)
	par.For(rows, par.RowGrain(k.m), k.body)
	return nil
}

func (k *dense[T]) biasAndActivation(lo, hi int) {
	w := k.a.in[1]
	bias := w[len(w)-k.bias*k.m:]
	if k.biasOperand {
		bias = k.a.in[2]
	}
	for i := lo; i < hi; i++ {
		row := k.a.out[i*k.m : (i+1)*k.m]
		if len(bias) > 0 {
			simd.Add(row, row, bias)
		}
		forward(k.act, row)
	}
}

func (k *dense[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dz := dout
	var err error
	if k.act != Identity {
		if dz, err = apply(&activationGrad[T]{act: k.act}, out, dout); err != nil {
			return nil, err
		}
	}
	var dx *gorgonia.Node
	if k.requiresGrad {
		if dx, err = apply(&denseGradX[T]{bias: k.bias}, in[1], dz); err != nil {
			return nil, err
		}
	}
	dw, err := apply(&denseGradW[T]{bias: k.bias}, in[0], dz)
	if err != nil || !k.biasOperand {
		return gorgonia.Nodes{dx, dw}, err
	}
	db, err := apply(&columnSums[T]{to: in[2].Shape().Clone()}, dz)
	return gorgonia.Nodes{dx, dw, db}, err
}

// denseGradX is the kernel dx = dz·W[:n]ᵀ.
type denseGradX[T Float] struct {
	noGradient[T]
	bias int
	bits bfloat.Product
}

func (k *denseGradX[T]) name() string     { return "denseGradX" }
func (k *denseGradX[T]) clone() kernel[T] { return &denseGradX[T]{bias: k.bias} }

func (k *denseGradX[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[1][0], in[0][0] - k.bias}, nil
}

func (k *denseGradX[T]) run(a *args[T]) error {
	n, m, rows := a.shapes[0][0]-k.bias, a.shapes[0][1], a.shapes[1][0]
	blas.Gemm(false, true, rows, n, m, 1, a.in[1], m, a.in[0], m, 0, a.out, max(n, 1))
	return nil
}

// denseGradW is the kernel dW = [x,1]ᵀ·dz.
type denseGradW[T Float] struct {
	noGradient[T]
	bias     int
	a        *args[T]
	m        int
	body     func(lo, hi int)
	bits     bfloat.Product
	biasBits func(lo, hi int)
}

func (k *denseGradW[T]) name() string     { return "denseGradW" }
func (k *denseGradW[T]) clone() kernel[T] { return &denseGradW[T]{bias: k.bias} }

func (k *denseGradW[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][1] + k.bias, in[1][1]}, nil
}

func (k *denseGradW[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.biasGrad
	}
	rows, n := a.shapes[0][0], a.shapes[0][1]
	k.a, k.m = a, a.shapes[1][1]
	blas.Gemm(true, false, n, k.m, rows, 1, a.in[0], max(n, 1), a.in[1], k.m, 0, a.out, k.m)
	if k.bias > 0 {
		par.For(k.m, columnGrain, k.body)
	}
	return nil
}

func (k *denseGradW[T]) biasGrad(lo, hi int) {
	sumColumns(k.a.out[len(k.a.out)-k.m:], k.a.in[1], lo, hi)
}

// WeightGradient sets dw to [x,1]ᵀ·dz, the gradient by the weights of Dense, or to
// xᵀ·dz where dw has no row for a bias, to the bits of the graph's. x is rows×n, dz
// rows×m, dw (n+1)×m or n×m.
func WeightGradient[T Float](dw, x, dz []T, rows int) {
	n, m := len(x)/rows, len(dz)/rows
	k := &denseGradW[T]{}
	if len(dw) > n*m {
		k.bias = 1
	}
	_ = k.run(&args[T]{in: [][]T{x, dz}, shapes: []tensor.Shape{{rows, n}, {rows, m}}, out: dw}) // it cannot fail
}

// columnGrain is the number of columns that make a chunk of parallel work.
const columnGrain = 256

// columnSums is the kernel of the sums of a matrix's columns, in the shape to: the
// gradient with respect to a bias.
type columnSums[T Float] struct {
	noGradient[T]
	to   tensor.Shape
	a    *args[T]
	body func(lo, hi int)
}

func (k *columnSums[T]) name() string     { return "columnSums" }
func (k *columnSums[T]) clone() kernel[T] { return &columnSums[T]{to: k.to} }

func (k *columnSums[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.to.Clone(), nil }

func (k *columnSums[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) { sumColumns(k.a.out, k.a.in[0], lo, hi) }
	}
	k.a = a
	par.For(len(a.out), columnGrain, k.body)
	return nil
}

// sumColumns sets the sums [lo, hi) of the columns of the matrix x, which has
// len(sum) columns.
func sumColumns[T Float](sum, x []T, lo, hi int) {
	m := len(sum)
	sum = sum[lo:hi]
	clear(sum)
	for i := lo; i < len(x); i += m {
		simd.Add(sum, sum, x[i:i+hi-lo])
	}
}

// LinearTransposed is y = x·Wᵀ: x is N×n, W is m×n, y is N×m. It is the output layer of
// a model whose W is the table of its embedding too, m rows of width n.
func LinearTransposed(x, w *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&denseTransposed[float32]{}, &denseTransposed[float64]{}, x, w)
}

// denseTransposed is the kernel of LinearTransposed.
type denseTransposed[T Float] struct{ bits bfloat.Product }

func (k *denseTransposed[T]) name() string     { return "denseTransposed" }
func (k *denseTransposed[T]) wrt() []bool      { return []bool{true, true} }
func (k *denseTransposed[T]) clone() kernel[T] { return &denseTransposed[T]{} }

func (k *denseTransposed[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if err := wantMatrix(x, "x"); err != nil {
		return nil, err
	}
	if err := wantMatrix(w, "W"); err != nil {
		return nil, err
	}
	if x[1] != w[1] {
		return nil, ErrShape.Errorf("x of shape %v and W of shape %v have rows of different lengths", x, w)
	}
	return tensor.Shape{x[0], w[0]}, nil
}

func (k *denseTransposed[T]) run(a *args[T]) error {
	x, w := a.shapes[0], a.shapes[1]
	blas.Gemm(false, true, x[0], w[0], x[1], 1, a.in[0], x[1], a.in[1], x[1], 0, a.out, w[0])
	return nil
}

func (k *denseTransposed[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Linear(dout, in[1], Identity)
	if err != nil {
		return nil, errors.WithMessage(err, "x")
	}
	dw, err := apply(&denseGradW[T]{}, dout, in[0])
	return gorgonia.Nodes{dx, dw}, err
}
