package conv

import (
	"golang.org/x/sys/cpu"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// winograd computes a convolution of kernel 3×3 and stride 1 by Winograd's
// algorithm: a tile of 4×4 results takes 36 products for each pair of channels
// instead of 144, as 36 matrix products over the tiles of a group of images. With
// U, V and M the transforms of W, of the source's tiles and of the result's,
//
//	forward  M_k = U_kᵀ·V_k          U of W, V of x
//	dx       M_k = U_k·V_k           U of W rotated by 180°, V of dz
//	dW       U_k = Σ V_k·M_kᵀ        V of x, M of dz
//
// The transforms of a group, its products and the transforms back run one after
// the other, each on all cores, so memory is bounded and results do not depend on
// the number of cores.
type winograd[T Float] struct {
	Geometry
	c, outputs       int
	y, dx            winoGrid // from x to y, and from dz to dx
	n                int
	first, back, sum *winoPass[T]
	db               []float64
}

// winoChannels is the number of channels, the smaller of x's and y's, from which the
// algorithm is faster than oneDNN's direct sums: its transforms take time by the
// channel, its products by the pair of channels. On two cores of a Zen processor
// (AVX) forward and both gradients of 128 images took, in ms of one core, 62 for
// 16 channels of 32×32 where oneDNN took 62, 51 against 58 for 32 of 16×16, 385
// against 875 for 64 of 32×32, 345 against 1090 for 512 of 4×4 and 327 against 417
// for 512 of 2×2. oneDNN's sums gain more from AVX-512 than the transforms do,
// which without AVX are plain Go.
var winoChannels = func() int {
	switch {
	case cpu.X86.HasAVX512F:
		return 128
	case cpu.X86.HasAVX:
		return 32
	}
	return 64
}()

// winograds reports whether the algorithm supports the geometry.
func winograds(c Geometry) bool {
	c = c.Filled()
	one := [2]int{1, 1}
	return c.Kernel == [2]int{3, 3} && c.Stride == one && c.Dilation == one && max(c.Pad[0], c.Pad[1]) <= 2
}

func newWinograd[T Float](c Geometry, x []int, outputs int) *winograd[T] {
	c = c.Filled()
	oh, ow := c.OutSize(x[2], x[3])
	return &winograd[T]{Geometry: c, n: x[0], c: x[1], outputs: outputs,
		y:  newWinoGrid(x[2], x[3], c.Pad[0], c.Pad[1], oh, ow),
		dx: newWinoGrid(oh, ow, 2-c.Pad[0], 2-c.Pad[1], x[2], x[3]),
		db: make([]float64, outputs),
	}
}

func (k *winograd[T]) Forward(x, w, y []T) error {
	if k.first == nil {
		p := newWinoPass[T](k.y, k.n, k.c, k.outputs)
		p.act, p.weights = k.Activation, winoWeights[T]{c: k.c, o: k.outputs}
		v, m := p.layouts()
		p.product = newMultiplier[T](p.weights.layout(true), v, m, false)
		k.first = p
	}
	p := k.first
	if !k.NoBias {
		p.biases = w[k.c*9*k.outputs:]
	}
	return p.run(x, w, y)
}

func (k *winograd[T]) GradX(dy, y, w, dx []T) error {
	if k.back == nil {
		p := newWinoPass[T](k.dx, k.n, k.outputs, k.c)
		p.weights = winoWeights[T]{c: k.c, o: k.outputs, rotated: true}
		v, m := p.layouts()
		p.product = newMultiplier[T](p.weights.layout(false), v, m, false)
		k.back = p
	}
	k.back.fromDZ = winoDZ[T]{act: k.Activation, y: y}
	return k.back.run(dy, w, dx)
}

func (k *winograd[T]) GradW(x, dy, y, dw []T) error {
	if k.sum == nil {
		p := newWinoPass[T](k.y, k.n, k.c, k.outputs)
		p.weights = winoWeights[T]{c: k.c, o: k.outputs}
		v, m := p.layouts()
		m.Transposed = true
		p.product = newMultiplier[T](v, m, p.weights.layout(false), false)
		p.add = newMultiplier[T](v, m, p.weights.layout(false), true)
		k.sum = p
	}
	clear(k.db)
	k.sum.toDZ = winoDZ[T]{act: k.Activation, y: y}
	err := k.sum.runBack(x, dy, dw, k.db)
	if !k.NoBias {
		for i, v := range k.db {
			dw[k.c*9*k.outputs+i] = T(v)
		}
	}
	return err
}

// winoDZ computes dz = act'(z)·dy, plane by plane.
type winoDZ[T Float] struct {
	act vmath.Activation
	y   []T
}

// plane returns n elements of dz from number at on, which it may put into room.
func (d *winoDZ[T]) plane(dy []T, at, n int, room []T) []T {
	if d.y == nil || d.act == vmath.Identity {
		return dy[at : at+n]
	}
	vmath.Backward(d.act, room[:n], d.y[at:at+n], dy[at:at+n])
	return room[:n]
}
