package apoops

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

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
	if err := checkNorm(epsilon, act); err != nil {
		return nil, nil, nil, err
	}
	moments, err := applyFloat(&batchMoments[float32]{epsilon: epsilon}, &batchMoments[float64]{epsilon: epsilon}, x)
	if err != nil {
		return nil, nil, nil, err
	}
	if y, err = normalize(x, scale, shift, moments, normSettings{act: act}); err != nil {
		return nil, nil, nil, err
	}
	c := x.Shape()[1]
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
	return normalize(x, scale, shift, moments, normSettings{act: act, given: true})
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

func normalize(x, scale, shift, moments *gorgonia.Node, s normSettings) (*gorgonia.Node, error) {
	s.requiresGrad = x != nil && !isInput(x)
	return applyFloat(&batchNorm[float32]{normSettings: s}, &batchNorm[float64]{normSettings: s}, x, scale, shift, moments)
}

type normSettings struct {
	act          Activation
	given        bool // the moments do not depend on x
	requiresGrad bool // x is no input of the graph, so its gradient is needed
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
	if in[3].TotalSize() != 3*l.c {
		return nil, errors.Errorf("mean and variance of %d channels for x of shape %v", in[3].TotalSize()/3, in[0])
	}
	return in[0].Clone(), nil
}

func (k *batchNorm[T]) pieces() ([]bool, bool) { return []bool{true, false, false, false}, true }

func (k *batchNorm[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{1, 0, 0, 0, 1}, false }

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
