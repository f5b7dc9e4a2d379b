package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// winoWeights are the transforms of W, 36 matrices C×O.
type winoWeights[T Float] struct {
	c, o    int
	rotated bool // by 180°
	w, u    []T
}

func (t *winoWeights[T]) layout(transposed bool) dnn.Matrix {
	return dnn.Matrix{Rows: t.c, Cols: t.o, Stride: t.o, Transposed: transposed}
}

func (t *winoWeights[T]) stride() int { return t.c*t.o + cachePadding }

// matrix is transform number k.
func (t *winoWeights[T]) matrix(k int) []T { return t.u[k*t.stride():][:t.c*t.o] }

// transform computes G·w·Gᵀ for the input channels [lo, hi).
func (t *winoWeights[T]) transform(lo, hi int) {
	var b winoTiles[T]
	first, step := 0, t.o
	if t.rotated {
		first, step = 8*t.o, -t.o
	}
	for c := lo; c < hi; c++ {
		l := 0
		for ; l+winoLanes <= t.o; l += winoLanes {
			if !fastKernels(&b, t.u[c*t.o+l:], t.stride(), t.w[c*9*t.o:(c+1)*9*t.o], first+l, step) {
				break
			}
		}
		for ; l < t.o; l++ {
			winoOneKernel(t.u[c*t.o+l:], t.stride(), t.w[c*9*t.o:(c+1)*9*t.o], first+l, step)
		}
	}
}

// winoOneKernel writes G·w·Gᵀ, element k at u[k·stride:], of the kernel whose elements
// are step apart, beginning with w[at].
func winoOneKernel[T Float](u []T, stride int, w []T, at, step int) {
	var s [winoIn][3]T
	for j := range 3 {
		s[0][j], s[1][j], s[2][j], s[3][j], s[4][j], s[5][j] = winoKernel(w[at+j*step], w[at+(3+j)*step], w[at+(6+j)*step])
	}
	for i := range winoIn {
		u0, u1, u2, u3, u4, u5 := winoKernel(s[i][0], s[i][1], s[i][2])
		for j, v := range [winoIn]T{u0, u1, u2, u3, u4, u5} {
			u[(6*i+j)*stride] = v
		}
	}
}

// transformBack computes dW = Gᵀ·u·G for the input channels [lo, hi).
func (t *winoWeights[T]) transformBack(lo, hi int) {
	var b winoTiles[T]
	for c := lo; c < hi; c++ {
		l := 0
		for ; l+winoLanes <= t.o; l += winoLanes {
			if !fastKernelsBack(&b, t.w[c*9*t.o+l:], t.o, t.u[c*t.o+l:], t.stride()) {
				break
			}
		}
		for ; l < t.o; l++ {
			winoOneKernelBack(t.w[c*9*t.o+l:], t.o, t.u[c*t.o+l:], t.stride())
		}
	}
}

// winoOneKernelBack writes Gᵀ·u·G, its elements step apart.
func winoOneKernelBack[T Float](w []T, step int, u []T, stride int) {
	var s [3][winoIn]T
	for j := range winoIn {
		at := func(i int) T { return u[(6*i+j)*stride] }
		s[0][j], s[1][j], s[2][j] = winoKernelGrad(at(0), at(1), at(2), at(3), at(4), at(5))
	}
	for i := range 3 {
		w[3*i*step], w[(3*i+1)*step], w[(3*i+2)*step] = winoKernelGrad(s[i][0], s[i][1], s[i][2], s[i][3], s[i][4], s[i][5])
	}
}

// all runs a loop over the input channels.
func (t *winoWeights[T]) all(body func(lo, hi int)) { par.For(t.c, 1, body) }
