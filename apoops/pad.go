package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Pad2D puts zeros around images: rows of them above and below, cols left and
// right. x is N×C×H×W, the result N×C×(H+2·rows)×(W+2·cols). Where x is an input
// of the graph no gradient with respect to it is computed.
func Pad2D(x *gorgonia.Node, rows, cols int) (*gorgonia.Node, error) {
	s := padSettings{rows: rows, cols: cols, inner: x != nil && !isInput(x)}
	return pick(&pad[float32]{padSettings: s}, &pad[float64]{padSettings: s}, x)
}

type padSettings struct {
	rows, cols int
	inner      bool // x is computed, so its gradient is wanted
}

// pad is the kernel of Pad2D and, where crop is set, of its gradient.
type pad[T Float] struct {
	padSettings
	crop bool
	a    *args[T]
	h, w int // of the images without padding
	body func(lo, hi int)
}

func (k *pad[T]) name() string {
	if k.crop {
		return fmt.Sprintf("padGrad(%d, %d)", k.rows, k.cols)
	}
	return fmt.Sprintf("pad(%d, %d)", k.rows, k.cols)
}

func (k *pad[T]) wrt() []bool      { return []bool{k.inner && !k.crop} }
func (k *pad[T]) fresh() kernel[T] { return &pad[T]{padSettings: k.padSettings, crop: k.crop} }

func (k *pad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if err := wantImages(x, "x"); err != nil {
		return nil, err
	}
	if k.rows < 0 || k.cols < 0 {
		return nil, errors.Errorf("%d rows and %d columns of padding", k.rows, k.cols)
	}
	r, c := 2*k.rows, 2*k.cols
	if k.crop {
		r, c = -r, -c
	}
	return tensor.Shape{x[0], x[1], x[2] + r, x[3] + c}, nil
}

func (k *pad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.planes
	}
	k.a, k.h, k.w = a, a.shapes[0][2], a.shapes[0][3]
	if k.crop {
		k.h, k.w = k.h-2*k.rows, k.w-2*k.cols
	}
	par.For(a.shapes[0][0]*a.shapes[0][1], rowGrain(k.h*k.w), k.body)
	return nil
}

func (k *pad[T]) planes(lo, hi int) {
	wide := k.w + 2*k.cols
	size, large := k.h*k.w, (k.h+2*k.rows)*wide
	for i := lo; i < hi; i++ {
		small, from := i*size, i*large+k.rows*wide+k.cols
		if !k.crop {
			clear(k.a.out[i*large : (i+1)*large])
		}
		for r := range k.h {
			if k.crop {
				copy(k.a.out[small+r*k.w:][:k.w], k.a.in[0][from+r*wide:])
			} else {
				copy(k.a.out[from+r*wide:][:k.w], k.a.in[0][small+r*k.w:])
			}
		}
	}
}

func (k *pad[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	if k.crop {
		return nil, errNoSecondDerivative
	}
	if !k.inner {
		return gorgonia.Nodes{nil}, nil
	}
	dx, err := apply(&pad[T]{padSettings: k.padSettings, crop: true}, dout)
	return gorgonia.Nodes{dx}, err
}
