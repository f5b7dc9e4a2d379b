package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// LinearTransposed is y = x·Wᵀ: x is N×n, W is m×n, y is N×m. It is the output layer of
// a model whose W is the table of its embedding too, m rows of width n.
func LinearTransposed(x, w *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&linearTransposed[float32]{}, &linearTransposed[float64]{}, x, w)
}

// linearTransposed is the kernel of LinearTransposed.
type linearTransposed[T Float] struct{}

func (k *linearTransposed[T]) name() string     { return "linearTransposed" }
func (k *linearTransposed[T]) wrt() []bool      { return []bool{true, true} }
func (k *linearTransposed[T]) clone() kernel[T] { return &linearTransposed[T]{} }

func (k *linearTransposed[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
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

func (k *linearTransposed[T]) run(a *args[T]) error {
	x, w := a.shapes[0], a.shapes[1]
	blas.Gemm(false, true, x[0], w[0], x[1], 1, a.in[0], x[1], a.in[1], x[1], 0, a.out, w[0])
	return nil
}

func (k *linearTransposed[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Linear(dout, in[1], Identity)
	if err != nil {
		return nil, errors.WithMessage(err, "x")
	}
	dw, err := apply(&denseGradW[T]{}, dout, in[0])
	return gorgonia.Nodes{dx, dw}, err
}
