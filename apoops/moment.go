package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Factors are the two factors of the gradient of a layer's weights: dW = [a,1]ᵀ·s
// for a fully connected layer, the sum of that over all patches for a convolution (a
// without the 1 where Bias is false).
type Factors struct {
	A    *gorgonia.Node // inputs of the layer, N×n; images N×C×H×W of a convolution
	S    *gorgonia.Node // gradients of the mean loss by the pre-activations, N×m or N×m×OH×OW
	Bias bool           // the last row of the weights is the bias
	// Conv is the geometry of a convolution, nil for a fully connected layer.
	Conv *Conv
	// Y are the outputs of a convolution with an activation where S are still the
	// gradients by them: see FusedFactors. Otherwise nil.
	Y *gorgonia.Node
}

// GradientFactors finds the factors of a gradient node of Dense, Linear or Conv2D; it
// adds the node of S to the graph if there is none. ok is false for all others, such
// as the sum of the gradients of weights that are used twice.
func GradientFactors(n *gorgonia.Node) (f Factors, ok bool) {
	f, ok = FusedFactors(n)
	if !ok || f.Y == nil {
		return f, ok
	}
	s, err := activationGradient(f.Conv.Activation, f.Y, f.S)
	f.S, f.Y = s, nil
	return f, err == nil
}

// FusedFactors is GradientFactors without a new node: of a convolution with an
// activation it gives Y.
func FusedFactors(n *gorgonia.Node) (f Factors, ok bool) {
	k, ok := kernelOf(n.Op()).(layerGradient)
	if !ok {
		return Factors{}, false
	}
	f = k.layer()
	operands := Operands(n)
	f.A, f.S = operands[0], operands[1]
	if len(operands) > 2 {
		f.Y = operands[2]
	}
	return f, true
}

// Terms are the terms of a sum made by Add, nil for all other nodes.
func Terms(n *gorgonia.Node) gorgonia.Nodes {
	if _, ok := kernelOf(n.Op()).(interface{ isSum() }); ok {
		return Operands(n)
	}
	return nil
}

func (*add[T]) isSum() {}

// FilterGradientOf is the gradient by the matrix of FilterMatrix that n, a gradient by
// the filters, is the transpose of; nil for all other nodes.
func FilterGradientOf(n *gorgonia.Node) *gorgonia.Node {
	if _, ok := kernelOf(n.Op()).(interface{ isFilterGradient() }); ok {
		return Operands(n)[0]
	}
	return nil
}

func (*filterGrad[T]) isFilterGradient() {}

// BiasGradientOf are the gradients by pre-activations, N×m, that n, a gradient by the
// bias of Affine, is the sum of; nil for all other nodes.
func BiasGradientOf(n *gorgonia.Node) *gorgonia.Node {
	if _, ok := kernelOf(n.Op()).(interface{ isBiasGradient() }); ok {
		return Operands(n)[0]
	}
	return nil
}

func (*columnSums[T]) isBiasGradient() {}

// layerGradient is implemented by the kernels of the gradients of layers' weights.
type layerGradient interface {
	// layer describes the layer, without the nodes A and S.
	layer() Factors
}

func (k *denseGradW[T]) layer() Factors { return Factors{Bias: k.bias > 0} }
func (k *convGradW[T]) layer() Factors  { return Factors{Bias: !k.c.NoBias, Conv: &k.c} }

// Switch turns ops on and off between the runs of a graph. An op whose Switch is off
// computes nothing and keeps its last result.
type Switch struct{ Off bool }

// InputMoment is the second moment of a layer's inputs a, N×n, with the
// homogeneous coordinate where there is a bias:
//
//	Ā = 1/N Σ_i ā_i ā_iᵀ,  ā = [a,1]
//
// The result is (n+1)×(n+1), or n×n without bias (Martens & Grosse 2015). For a
// convolution a are the patches, n = C·kh·kw, and the sum is over all patches of
// the N images (Grosse & Martens 2016). It has no gradient.
func InputMoment(f Factors, on *Switch) (*gorgonia.Node, error) {
	if f.Conv != nil {
		return applyFloat(&patchMoment[float32]{c: *f.Conv, on: on}, &patchMoment[float64]{c: *f.Conv, on: on}, f.A)
	}
	return newMoment(momentSettings{bias: extraRow(f.Bias), on: on}, f.A)
}

// GradientMoment is the second moment of the gradients with respect to the
// pre-activations of single examples, where s, N×m, has those of the mean loss, 1/N
// of them:
//
//	Ḡ = 1/N Σ_i (N·s_i)(N·s_i)ᵀ = N·sᵀs
//
// The result is m×m. For a convolution the mean is also over the positions. It has
// no gradient.
func GradientMoment(f Factors, on *Switch) (*gorgonia.Node, error) {
	if f.Conv != nil {
		return applyFloat(&positionMoment[float32]{on: on}, &positionMoment[float64]{on: on}, f.S)
	}
	return newMoment(momentSettings{gradient: true, on: on}, f.S)
}

// ProjectedSquares is the mean over the examples of the squares of their
// gradients in the basis (U_A, U_G) of EKFAC (George et al. 2018):
//
//	1/N Σ_i (U_A ā_i (N·s_i)ᵀ U_Gᵀ)²
//
// with a and s as in InputMoment and GradientMoment; for a convolution the product
// is summed over the positions of image i before it is squared. The rows of U_A,
// (n+1)×(n+1) (n×n without bias), and U_G, m×m, are the basis. The result is
// (n+1)×m. It has no gradient.
func ProjectedSquares(f Factors, ua, ug *gorgonia.Node, on *Switch) (*gorgonia.Node, error) {
	if f.Conv != nil {
		return applyFloat(&patchSquares[float32]{c: *f.Conv, on: on}, &patchSquares[float64]{c: *f.Conv, on: on}, f.A, f.S, ua, ug)
	}
	bias := extraRow(f.Bias)
	return applyFloat(&projectedSquares[float32]{bias: bias, on: on}, &projectedSquares[float64]{bias: bias, on: on}, f.A, f.S, ua, ug)
}

func extraRow(bias bool) int {
	if bias {
		return 1
	}
	return 0
}

type momentSettings struct {
	bias     int
	gradient bool // times N, not 1/N
	on       *Switch
}

func newMoment(s momentSettings, x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&moment[float32]{momentSettings: s}, &moment[float64]{momentSettings: s}, x)
}

// moment is the kernel of InputMoment and GradientMoment.
type moment[T Float] struct {
	noGradient[T]
	momentSettings
}

func (k *moment[T]) name() string     { return "moment" }
func (k *moment[T]) clone() kernel[T] { return &moment[T]{momentSettings: k.momentSettings} }
func (k *moment[T]) persists()        {}

func (k *moment[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "the operand"); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][1] + k.bias, in[0][1] + k.bias}, nil
}

func (k *moment[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	rows, n := a.shapes[0][0], a.shapes[0][1]
	dim := n + k.bias
	scale := 1 / T(rows)
	if k.gradient {
		scale = T(rows)
	}
	blas.Syrk(true, n, rows, scale, a.in[0], n, 0, a.out, dim)
	if k.bias == 0 {
		return nil
	}
	last := a.out[n*dim:]
	clear(last)
	for i := range rows {
		blas.Axpy(scale, a.in[0][i*n:(i+1)*n], last[:n])
	}
	last[n] = 1
	for i, v := range last[:n] {
		a.out[i*dim+n] = v
	}
	return nil
}

func (s *Switch) off() bool { return s != nil && s.Off }

// projectedSquares is the kernel of ProjectedSquares.
type projectedSquares[T Float] struct {
	noGradient[T]
	bias   int
	on     *Switch
	a      *args[T]
	pa, pg []T // squared projections of ā and s
	n, m   int
	square func(lo, hi int)
}

func (k *projectedSquares[T]) name() string { return "projectedSquares" }
func (k *projectedSquares[T]) persists()    {}
func (k *projectedSquares[T]) clone() kernel[T] {
	return &projectedSquares[T]{bias: k.bias, on: k.on}
}

func (k *projectedSquares[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	for i, name := range []string{"a", "s", "U_A", "U_G"} {
		if err := wantMatrix(in[i], name); err != nil {
			return nil, err
		}
	}
	a, s := in[0], in[1]
	n, m := a[1]+k.bias, s[1]
	if a[0] != s[0] {
		return nil, errors.Errorf("a has shape %v, s %v", a, s)
	}
	return tensor.Shape{n, m}, checkBases(in[2], in[3], n, m)
}

func checkBases(ua, ug tensor.Shape, n, m int) error {
	if !ua.Eq(tensor.Shape{n, n}) {
		return errors.Errorf("U_A has shape %v, not (%d, %d)", ua, n, n)
	}
	if !ug.Eq(tensor.Shape{m, m}) {
		return errors.Errorf("U_G has shape %v, not (%d, %d)", ug, m, m)
	}
	return nil
}

func (k *projectedSquares[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	rows, n, m := a.shapes[0][0], a.shapes[0][1], a.shapes[1][1]
	dim := n + k.bias
	k.a, k.n, k.m = a, n, m
	k.pa, k.pg = sized(k.pa, rows*dim), sized(k.pg, rows*m)
	if k.square == nil {
		k.square = k.squareRows
	}
	blas.Gemm(false, true, rows, dim, n, 1, a.in[0], n, a.in[2], dim, 0, k.pa, dim)
	blas.Gemm(false, true, rows, m, m, 1, a.in[1], m, a.in[3], m, 0, k.pg, m)
	par.For(rows, par.RowGrain(dim+m), k.square)
	blas.Gemm(true, false, dim, m, rows, T(rows), k.pa, dim, k.pg, m, 0, a.out, m)
	return nil
}

// squareRows adds the homogeneous coordinate's part to the projections and
// squares them.
func (k *projectedSquares[T]) squareRows(lo, hi int) {
	dim := k.n + k.bias
	for i := lo; i < hi; i++ {
		pa, pg := k.pa[i*dim:(i+1)*dim], k.pg[i*k.m:(i+1)*k.m]
		for j, v := range pa {
			if k.bias > 0 {
				v += k.a.in[2][j*dim+k.n]
			}
			pa[j] = v * v
		}
		for j, v := range pg {
			pg[j] = v * v
		}
	}
}
