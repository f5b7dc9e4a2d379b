package apoops

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// batchMoments is the kernel that takes the moments of each channel of x: the C
// means, the C values 1/√(σ² + epsilon), the C variances that divide by m-1. They
// have no gradient of their own: batchNorm's includes it.
//
// With members the sums are of all their values, whose number per channel is one more
// element of the result. The operands are x and counts then, see JointBatchNorm.
type batchMoments[T Float] struct {
	noGradient[T]
	epsilon float64
	comm    collective.Communicator // nil for x alone
	joint   []float64               // what is summed up over all
	a       *args[T]
	l       channels
	first   []float64    // x₀, by channel
	sums    [][2]float64 // of x - x₀ and its square
	body    func(lo, hi int)

	inBlocks *blockNorm[T] // nil until it is used
}

func (k *batchMoments[T]) name() string { return fmt.Sprintf("batchMoments(%v)", k.epsilon) }
func (k *batchMoments[T]) isExact()     {}

func (k *batchMoments[T]) joins(result tensor.Shape) int {
	if k.comm == nil {
		return 0
	}
	return result.TotalSize() / 3 * 2 // the means and the deviations
}

func (k *batchMoments[T]) clone() kernel[T] {
	return &batchMoments[T]{epsilon: k.epsilon, comm: k.comm}
}

func (k *batchMoments[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	l, err := channelsOf(in[0])
	if err != nil {
		return nil, err
	}
	if k.comm != nil {
		return tensor.Shape{3*l.c + 1}, nil
	}
	if l.n*l.s < 2 {
		return nil, errors.Errorf("x of shape %v has %d values a channel; a variance needs two", in[0], l.n*l.s)
	}
	return tensor.Shape{3 * l.c}, nil
}

func (k *batchMoments[T]) pieces() ([]bool, bool) { return []bool{true, false}, false }

func (k *batchMoments[T]) blocks([]tensor.Shape, bool) ([]int, bool) {
	return normSettings{comm: k.comm}.with([]int{1, 0}, 1), false
}

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
	} else {
		par.For(k.l.c, k.l.grain(), k.body)
	}
	if k.comm != nil {
		return k.join()
	}
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
	if k.comm == nil {
		k.set(lo, hi)
	}
}

// own are the mean of x in channel j and the sum of the squared distances from it.
func (k *batchMoments[T]) own(j int) (mean, deviations float64) {
	d, q, m := k.sums[j][0], k.sums[j][1], float64(k.l.n*k.l.s)
	if deviations = q - d*d/m; deviations < 0 {
		deviations = 0
	}
	return k.first[j] + d/m, deviations
}

// set makes the moments of channels [lo, hi) of their sums.
func (k *batchMoments[T]) set(lo, hi int) {
	for j := lo; j < hi; j++ {
		mean, deviations := k.own(j)
		k.put(j, float64(k.l.n*k.l.s), mean, deviations)
	}
}

// put writes the moments of channel j, of m values.
func (k *batchMoments[T]) put(j int, m, mean, deviations float64) {
	c := k.l.c
	k.a.out[j] = T(mean)
	k.a.out[c+j] = T(1 / math.Sqrt(deviations/m+k.epsilon))
	k.a.out[2*c+j] = T(deviations / (m - 1))
}

// join makes the moments of the values of all members: their number and means first, then
// the distances from those, which are accurate where the mean is large.
func (k *batchMoments[T]) join() error {
	c, m, counts := k.l.c, float64(k.l.n*k.l.s), k.a.in[1][0] != 0
	k.joint = sized(k.joint, c+1)
	clear(k.joint)
	for j := 0; j < c && counts; j++ {
		mean, _ := k.own(j)
		k.joint[j], k.joint[c] = m*mean, m
	}
	if err := collective.Sum(k.comm, k.joint); err != nil {
		return errors.WithMessage(err, "moments over all members")
	}
	all := k.joint[c]
	if all < 2 {
		return errors.Errorf("%v values a channel; a variance needs two", all)
	}
	k.a.out[3*c] = T(all)
	for j := range c {
		mean, deviations := k.own(j)
		joint := k.joint[j] / all
		k.a.out[j], k.joint[j] = T(joint), 0
		if counts {
			k.joint[j] = deviations + m*(mean-joint)*(mean-joint)
		}
	}
	if err := collective.Sum(k.comm, k.joint[:c]); err != nil {
		return errors.WithMessage(err, "moments over all members")
	}
	for j := range c {
		k.put(j, all, float64(k.a.out[j]), k.joint[j])
	}
	return nil
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
