package apoops

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/conv"
)

// positionMoment is the kernel of GradientMoment for a convolution.
type positionMoment[T Float] struct {
	noGradient[T]
	on    *Switch
	loop  *conv.PatchLoop[T] // the patches of kernels of 1×1 are the positions
	out   []T
	visit func(columns []T)
}

func (k *positionMoment[T]) name() string     { return "positionMoment" }
func (k *positionMoment[T]) clone() kernel[T] { return &positionMoment[T]{on: k.on} }
func (k *positionMoment[T]) persists()        {}

func (k *positionMoment[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][1], in[0][1]}, wantImages(in[0], "s")
}

func (k *positionMoment[T]) run(a *args[T]) error {
	if k.on.off() {
		return nil
	}
	if s := a.shapes[0]; s[1] < groupRows {
		k.eachImage(a.in[0], a.out, s[0], s[1], s[2]*s[3])
		return nil
	}
	if k.loop == nil {
		k.loop, k.visit = conv.NewPatchLoop[T](conv.Geometry{Kernel: [2]int{1, 1}}, a.shapes[0]), k.add
		k.loop.Grow(len(a.out) / groupPart)
	}
	k.out = a.out
	k.loop.Each(a.in[0], k.visit)
	return nil
}

// groupRows is the number of channels from which the positions of several images make one
// product.
const groupRows = 64

// eachImage adds the products of n images of m channels one by one.
func (k *positionMoment[T]) eachImage(x, out []T, n, m, positions int) {
	scale := T(n) / T(positions)
	var beta T
	for i := range n {
		image := x[i*m*positions : (i+1)*m*positions]
		blas.Gemm(false, true, m, m, positions, scale, image, positions, image, positions, beta, out, m)
		beta = 1
	}
}

// add adds a group's positions.
func (k *positionMoment[T]) add(columns []T) {
	l := k.loop
	m, width := l.Rows, l.Count*l.Positions
	blas.Syrk(false, m, width, T(l.N)/T(l.Positions), columns, width, l.Beta(), k.out, m)
}
