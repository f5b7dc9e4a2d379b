package apoops

import (
	"fmt"
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// BatchNorm normalises each channel of x by its mean and variance over the batch
// (Ioffe & Szegedy 2015), the form for training:
//
//	y = act(scale·(x - μ)/√(σ² + epsilon) + shift)
//
// x is N×C×H×W or N×C; scale and shift are vectors of C; μ and σ² are taken over all
// but the channels, σ² dividing by their number m. mean is μ, variance is σ²·m/(m-1),
// what running statistics average; both are vectors of C without gradient. A channel
// of a single value (m = 1) has no variance: an error. The gradient of x is not
// computed if x is an input of the graph.
func BatchNorm(x, scale, shift *gorgonia.Node, epsilon float64, act Activation) (y, mean, variance *gorgonia.Node, err error) {
	return newBatchNorm(normSettings{act: act}, epsilon, scale, shift, x)
}

// JointBatchNorm is BatchNorm with the mean and variance over the batch of all members of
// comm, of which each has examples of its own in x, for a loss that is a sum over members
// too: gradients by y are those of the whole loss. counts is the number 1, or 0 on a member
// whose examples stand in for none. The gradients by scale and shift are a member's terms
// of sums over all. m, at least 2, is the number of all values of a channel.
func JointBatchNorm(comm collective.Communicator, counts, x, scale, shift *gorgonia.Node, epsilon float64, act Activation) (y, mean, variance *gorgonia.Node, err error) {
	return newBatchNorm(normSettings{act: act, comm: comm}, epsilon, scale, shift, x, counts)
}

// newBatchNorm builds the nodes; x has the operand counts behind it where s has members.
func newBatchNorm(s normSettings, epsilon float64, scale, shift *gorgonia.Node, x ...*gorgonia.Node) (y, mean, variance *gorgonia.Node, err error) {
	if err := checkNorm(epsilon, s.act); err != nil {
		return nil, nil, nil, err
	}
	moments, err := applyFloat(&batchMoments[float32]{epsilon: epsilon, comm: s.comm}, &batchMoments[float64]{epsilon: epsilon, comm: s.comm}, x...)
	if err != nil {
		return nil, nil, nil, err
	}
	if y, err = normalize(s, append(gorgonia.Nodes{x[0], scale, shift, moments}, x[1:]...)); err != nil {
		return nil, nil, nil, err
	}
	c := x[0].Shape()[1]
	if mean, err = Segment(moments, 0, c); err != nil {
		return nil, nil, nil, err
	}
	variance, err = Segment(moments, 2*c, c)
	return y, mean, variance, err
}

// BatchNormWith is BatchNorm with given mean and variance, the form for
// evaluation:
//
//	y = act(scale·(x - mean)/√(variance + epsilon) + shift)
//
// mean and variance are vectors of C without gradient.
func BatchNormWith(x, scale, shift, mean, variance *gorgonia.Node, epsilon float64, act Activation) (*gorgonia.Node, error) {
	if err := checkNorm(epsilon, act); err != nil {
		return nil, err
	}
	moments, err := applyFloat(&givenMoments[float32]{epsilon: epsilon}, &givenMoments[float64]{epsilon: epsilon}, mean, variance)
	if err != nil {
		return nil, err
	}
	return normalize(normSettings{act: act, given: true}, gorgonia.Nodes{x, scale, shift, moments})
}

func checkNorm(epsilon float64, act Activation) error {
	if !act.known() {
		return errors.Errorf("apoops: batch norm: %v", act)
	}
	if !(epsilon >= 0) || math.IsInf(epsilon, 1) {
		return errors.Errorf("apoops: batch norm: epsilon %v is not a number from 0 on", epsilon)
	}
	return nil
}

// normalize applies the kernel of batchNorm to its operands.
func normalize(s normSettings, in gorgonia.Nodes) (*gorgonia.Node, error) {
	s.requiresGrad = in[0] != nil && !isInput(in[0])
	return applyFloat(&batchNorm[float32]{normSettings: s}, &batchNorm[float64]{normSettings: s}, in...)
}

type normSettings struct {
	act          Activation
	given        bool // the moments do not depend on x
	requiresGrad bool // x is no input of the graph, so its gradient is needed
	// comm has the members whose batch the moments are of, nil for x alone. There is one
	// more operand then, counts.
	comm collective.Communicator
}

// with adds the entry of the operand counts to those of the other operands, in front of
// that of the result where there is one.
func (s normSettings) with(entries []int, at int) []int {
	if s.comm == nil {
		return entries
	}
	return slices.Insert(entries, at, 0)
}

// batchNorm is the kernel of BatchNorm and BatchNormWith. Its operands are x,
// scale, shift and the moments; the gradient with respect to x includes that
// through the moments.
type batchNorm[T Float] struct {
	normSettings
	a        *args[T]
	l        channels
	body     func(lo, hi int)
	inBlocks *blockNorm[T] // nil until it is used
}

func (k *batchNorm[T]) name() string     { return fmt.Sprintf("batchNorm.%v(given %t)", k.act, k.given) }
func (k *batchNorm[T]) wrt() []bool      { return []bool{k.requiresGrad, true, true, false} }
func (k *batchNorm[T]) clone() kernel[T] { return &batchNorm[T]{normSettings: k.normSettings} }

func (k *batchNorm[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	l, err := channelsOf(in[0])
	if err != nil {
		return nil, err
	}
	for i, operand := range []string{"scale", "shift"} {
		if s := in[1+i]; s.Dims() != 1 || s[0] != l.c {
			return nil, errors.Errorf("%s of shape %v is not a vector of the %d channels of x", operand, s, l.c)
		}
	}
	if n := in[3].TotalSize(); n/3 != l.c || n%3 > 1 {
		return nil, errors.Errorf("mean and variance of %d channels for x of shape %v", n/3, in[0])
	}
	return in[0].Clone(), nil
}

func (k *batchNorm[T]) pieces() ([]bool, bool) {
	return []bool{true, false, false, false, false}, true
}

func (k *batchNorm[T]) blocks([]tensor.Shape, bool) ([]int, bool) {
	return k.with([]int{1, 0, 0, 0, 1}, 4), false
}

func (k *batchNorm[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.runs
	}
	k.a = a
	k.l, _ = channelsOf(a.shapes[0])
	if a.inBlocks(0) {
		if k.inBlocks == nil {
			k.inBlocks = newBlockNorm[T]()
		}
		k.inBlocks.normalize(a, k.l, k.act)
		return nil
	}
	par.For(k.l.n*k.l.c, par.RowGrain(k.l.s), k.body)
	return nil
}

// runs normalises the channels [lo, hi), numbered across all images.
func (k *batchNorm[T]) runs(lo, hi int) {
	c, s := k.l.c, k.l.s
	mean, inv := k.a.in[3][:c], k.a.in[3][c:2*c]
	scale, shift := k.a.in[1], k.a.in[2]
	room := k.a.room(s)
	for i := lo; i < hi; i++ {
		j := i % c
		m, f, b := mean[j], scale[j]*inv[j], shift[j]
		x, y := k.a.piece(0, i*s, (i+1)*s, room), k.a.place(i*s, (i+1)*s, room)
		simd.Affine(y, x, m, f, b)
		forward(k.act, y)
		k.a.put(i*s, y)
	}
	k.a.leave(room)
}

// channels is the layout of N×C×H×W or N×C: n images of c runs of s elements.
type channels struct{ n, c, s int }

func channelsOf(x tensor.Shape) (channels, error) {
	if x.Dims() != 2 && x.Dims() != 4 {
		return channels{}, errors.Errorf("x has shape %v, neither N×C×H×W nor N×C", x)
	}
	l := channels{n: x[0], c: x[1], s: 1}
	if x.Dims() == 4 {
		l.s = x[2] * x[3]
	}
	return l, nil
}

// grain is the number of channels that make a chunk of parallel work: those of
// some 256 neighbouring elements.
func (l channels) grain() int { return max(1, 256/max(l.s, 1)) }
