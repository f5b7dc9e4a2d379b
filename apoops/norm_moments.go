package apoops

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// batchMoments is the kernel that takes the moments of each channel of x: the C
// means, the C values 1/√(σ² + epsilon), the C variances that divide by m-1. They
// have no gradient of their own: batchNorm's includes it.
type batchMoments[T Float] struct {
	noGradient[T]
	epsilon float64
	a       *args[T]
	l       channels
	first   []float64    // x₀, by channel
	sums    [][2]float64 // of x - x₀ and its square
	body    func(lo, hi int)

	inBlocks *blockNorm[T] // nil until it is used
}

func (k *batchMoments[T]) name() string     { return fmt.Sprintf("batchMoments(%v)", k.epsilon) }
func (k *batchMoments[T]) isExact()         {}
func (k *batchMoments[T]) clone() kernel[T] { return &batchMoments[T]{epsilon: k.epsilon} }

func (k *batchMoments[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	l, err := channelsOf(in[0])
	if err != nil {
		return nil, err
	}
	if l.n*l.s < 2 {
		return nil, errors.Errorf("x of shape %v has %d values a channel; a variance needs two", in[0], l.n*l.s)
	}
	return tensor.Shape{3 * l.c}, nil
}

func (k *batchMoments[T]) pieces() ([]bool, bool) { return []bool{true}, false }

func (k *batchMoments[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{1, 0}, false }

func (k *batchMoments[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.chunk
	}
	k.a = a
	k.l, _ = channelsOf(a.shapes[0])
	k.sums, k.first = sized(k.sums, k.l.c), sized(k.first, k.l.c)
	if a.inBlocks(0) {
		if k.inBlocks == nil {
			k.inBlocks = newBlockNorm[T]()
		}
		k.inBlocks.moments(k)
		return nil
	}
	par.For(k.l.c, k.l.grain(), k.body)
	return nil
}

// chunk takes the moments of channels [lo, hi). Sums are of differences from the
// channel's first value, in float64: one pass over x is accurate.
func (k *batchMoments[T]) chunk(lo, hi int) {
	c, s := k.l.c, k.l.s
	room := k.a.room(s)
	clear(k.sums[lo:hi])
	for i := range k.l.n {
		for j := lo; j < hi; j++ {
			x := k.a.piece(0, (i*c+j)*s, (i*c+j+1)*s, room)
			if i == 0 {
				k.first[j] = float64(x[0])
			}
			d, q := simd.Squares(x, k.first[j])
			k.sums[j][0] += d
			k.sums[j][1] += q
		}
	}
	k.a.leave(room)
	k.set(lo, hi)
}

// set makes the moments of channels [lo, hi) of their sums.
func (k *batchMoments[T]) set(lo, hi int) {
	c, m := k.l.c, float64(k.l.n*k.l.s)
	for j := lo; j < hi; j++ {
		d, q := k.sums[j][0], k.sums[j][1]
		deviations := q - d*d/m // of the mean, squared
		if deviations < 0 {
			deviations = 0
		}
		k.a.out[j] = T(k.first[j] + d/m)
		k.a.out[c+j] = T(1 / math.Sqrt(deviations/m+k.epsilon))
		k.a.out[2*c+j] = T(deviations / (m - 1))
	}
}

// givenMoments is the kernel that puts mean and variance in the form of
// batchMoments.
type givenMoments[T Float] struct {
	noGradient[T]
	epsilon float64
}

func (k *givenMoments[T]) name() string     { return fmt.Sprintf("givenMoments(%v)", k.epsilon) }
func (k *givenMoments[T]) isExact()         {}
func (k *givenMoments[T]) clone() kernel[T] { return &givenMoments[T]{epsilon: k.epsilon} }

func (k *givenMoments[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].Dims() != 1 || !in[0].Eq(in[1]) {
		return nil, errors.Errorf("mean of shape %v and variance of shape %v are not vectors of one length", in[0], in[1])
	}
	return tensor.Shape{3 * in[0][0]}, nil
}

func (k *givenMoments[T]) run(a *args[T]) error {
	c := len(a.in[0])
	copy(a.out, a.in[0])
	for j, v := range a.in[1] {
		a.out[c+j] = T(1 / math.Sqrt(float64(v)+k.epsilon))
	}
	copy(a.out[2*c:], a.in[1])
	return nil
}
