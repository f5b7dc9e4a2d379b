package conv

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// positions computes a convolution by the products of pairs of positions: with X_p, N×C,
// the channels at position p of all images and W_t, C×O, the weights of element t of the
// kernel,
//
//	forward  Y_q = Σ_p X_p·W_t(p,q)
//	dx       dX_p = Σ_q dZ_q·W_t(p,q)ᵀ
//	dW       dW_t = Σ_{t(p,q)=t} X_pᵀ·dZ_q
//
// over the pairs for which q's patch has p. In small images most of a patch lies outside,
// and takes no products here: of a kernel 3×3 on 2×2 images 16 are left of 36. The
// weights are read in place; images are copied to N×H×W×C and back.
type positions[T Float] struct {
	patches
	n, outputs                   int
	byOutput, byInput, byElement places
	x, y, bias                   []T // of the current run, as they are; y is dz in the gradients
	in, out                      []T // the same with the channels side by side
	dz                           winoDZ[T]
	turnX, turnY, turnDZ         func(lo, hi int)
	turnDX, sumBias              func(lo, hi int)
}

func newPositions[T Float](c Geometry, x []int, outputs int) *positions[T] {
	k := &positions[T]{patches: newPatches(c, x), n: x[0], outputs: outputs}
	pairs := k.pairs()
	k.byOutput = newPlaces(pairs, k.Positions, func(p pair) int { return p.out })
	k.byInput = newPlaces(pairs, k.h*k.w, func(p pair) int { return p.in })
	k.byElement = newPlaces(pairs, k.kernel(), func(p pair) int { return p.element })
	k.turnX, k.turnY, k.turnDZ, k.turnDX, k.sumBias = k.inputs, k.results, k.gradients, k.inputGradients, k.biasGradients
	return k
}

// kernel is the number of elements of the kernel.
func (p *patches) kernel() int { return p.Kernel[0] * p.Kernel[1] }

func (k *positions[T]) Forward(x, w, y []T) error {
	o, c := k.outputs, k.c
	k.get(x, y)
	if !k.NoBias {
		k.bias = w[k.Rows*o:]
	}
	par.For(k.n, par.RowGrain(k.imageSize), k.turnX)
	k.byOutput.each(func(p pair, beta int) {
		blas.Gemm(false, false, k.n, o, c, 1, k.in[p.in*c:], k.imageSize, w[p.element*o:], k.kernel()*o, T(beta), k.out[p.out*o:], k.Positions*o)
	})
	for _, q := range k.byOutput.none {
		clearColumns(k.out[q*o:], k.n, o, k.Positions*o)
	}
	par.For(k.n, par.RowGrain(k.Positions*o), k.turnY)
	k.put()
	return nil
}

func (k *positions[T]) GradX(dy, y, w, dx []T) error {
	o, c := k.outputs, k.c
	k.get(dx, dy)
	k.dz = winoDZ[T]{act: k.Activation, y: y}
	par.For(k.n, par.RowGrain(k.Positions*o), k.turnDZ)
	k.byInput.each(func(p pair, beta int) {
		blas.Gemm(false, true, k.n, c, o, 1, k.out[p.out*o:], k.Positions*o, w[p.element*o:], k.kernel()*o, T(beta), k.in[p.in*c:], k.imageSize)
	})
	for _, p := range k.byInput.none {
		clearColumns(k.in[p*c:], k.n, c, k.imageSize)
	}
	par.For(k.n, par.RowGrain(k.imageSize), k.turnDX)
	k.put()
	return nil
}

func (k *positions[T]) GradW(x, dy, y, dw []T) error {
	o, c := k.outputs, k.c
	k.get(x, dy)
	k.dz = winoDZ[T]{act: k.Activation, y: y}
	par.For(k.n, par.RowGrain(k.imageSize), k.turnX)
	par.For(k.n, par.RowGrain(k.Positions*o), k.turnDZ)
	k.byElement.each(func(p pair, beta int) {
		blas.Gemm(true, false, c, o, k.n, 1, k.in[p.in*c:], k.imageSize, k.out[p.out*o:], k.Positions*o, T(beta), dw[p.element*o:], k.kernel()*o)
	})
	for _, t := range k.byElement.none {
		clearColumns(dw[t*o:], c, o, k.kernel()*o)
	}
	if !k.NoBias {
		k.bias = dw[k.Rows*o:]
		par.For(o, biasGrain, k.sumBias)
	}
	k.put()
	return nil
}

// get begins a run with memory for the images in the copied order.
func (k *positions[T]) get(x, y []T) {
	k.x, k.y = x, y
	k.in, k.out = scratch.Get[T](len(x)), scratch.Get[T](len(y))
}

func (k *positions[T]) put() {
	scratch.Put(k.out)
	scratch.Put(k.in)
	k.x, k.y, k.bias, k.in, k.out, k.dz = nil, nil, nil, nil, nil, winoDZ[T]{}
}

// inputs turns the images [lo, hi) of x.
func (k *positions[T]) inputs(lo, hi int) {
	for i := lo; i < hi; i++ {
		turn(k.in[i*k.imageSize:], k.x[i*k.imageSize:], k.c, k.h*k.w)
	}
}

// inputGradients turns the images [lo, hi) of dx back.
func (k *positions[T]) inputGradients(lo, hi int) {
	for i := lo; i < hi; i++ {
		turn(k.x[i*k.imageSize:], k.in[i*k.imageSize:], k.h*k.w, k.c)
	}
}

// results turns the images [lo, hi) of y back, adds the bias and applies the activation.
func (k *positions[T]) results(lo, hi int) {
	size := k.outputs * k.Positions
	for i := lo; i < hi; i++ {
		y := k.y[i*size : (i+1)*size]
		turn(y, k.out[i*size:], k.Positions, k.outputs)
		for o, b := range k.bias {
			for q := range k.Positions {
				y[o*k.Positions+q] += b
			}
		}
		vmath.Forward(k.Activation, y)
	}
}

// gradients computes dz of the images [lo, hi) and turns it.
func (k *positions[T]) gradients(lo, hi int) {
	size := k.outputs * k.Positions
	room := scratch.Get[T](size)
	for i := lo; i < hi; i++ {
		turn(k.out[i*size:], k.dz.plane(k.y, i*size, size, room), k.outputs, k.Positions)
	}
	scratch.Put(room)
}

// biasGrain is the number of channels that are summed at once.
const biasGrain = 16

// biasGradients sums dz of the channels [lo, hi) over images and positions.
func (k *positions[T]) biasGradients(lo, hi int) {
	var sums [biasGrain]float64
	for i := range k.n * k.Positions {
		for j, v := range k.out[i*k.outputs+lo : i*k.outputs+hi] {
			sums[j] += float64(v)
		}
	}
	for j := lo; j < hi; j++ {
		k.bias[j] = T(sums[j-lo])
	}
}

// turn makes dst the transpose of src, rows×cols.
func turn[T Float](dst, src []T, rows, cols int) {
	for i := range rows {
		for j, v := range src[i*cols : (i+1)*cols] {
			dst[j*rows+i] = v
		}
	}
}

// clearColumns sets cols columns of a matrix to 0.
func clearColumns[T Float](x []T, rows, cols, stride int) {
	for i := range rows {
		clear(x[i*stride:][:cols])
	}
}
