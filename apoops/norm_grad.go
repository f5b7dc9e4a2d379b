package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

func (k *batchNorm[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	d := &batchNormGrad[T]{normSettings: k.normSettings}
	dz := dout
	var err error
	if k.act != Identity && k.act != ReLUAct {
		d.act = Identity
		if dz, err = apply(&activationGrad[T]{act: k.act}, out, dout); err != nil {
			return nil, err
		}
	}
	// dx, where it is wanted, is computed along with the sums that are the other
	// gradients; they are read when it, or the sums' own node, has been run.
	first, err := apply[T](d, append(gorgonia.Nodes{in[0], in[1], in[2], in[3], dz}, in[4:]...)...)
	if err != nil {
		return nil, err
	}
	dscale, err := apply(&sideResult[T]{of: "batchNormScale", from: d, i: 0, shape: in[1].Shape()}, first)
	if err != nil {
		return nil, err
	}
	dshift, err := apply(&sideResult[T]{of: "batchNormShift", from: d, i: 1, shape: in[2].Shape()}, first)
	if err != nil {
		return nil, err
	}
	dx := first
	if !k.requiresGrad {
		dx = nil
	}
	return append(gorgonia.Nodes{dx, dscale, dshift}, make(gorgonia.Nodes, len(in)-3)...), nil
}

// batchNormGrad computes, channel by channel, the sums over the batch
//
//	dshift = Σ dz, dscale = Σ dz·x̂,  x̂ = (x - μ)/√(σ² + ε)
//
// and, while the channel is in the processor's cache, where x's gradient is
// wanted,
//
//	dx = scale/√(σ² + ε)·(dz - dshift/m - x̂·dscale/m)
//
// or without the last two terms where the moments are given. dz is dy, or dy
// where x̂·scale + shift > 0 for ReLU: y is not read. The operands are x, scale,
// shift, the moments and dy. Where x's gradient is not wanted the result is the
// sums. With members the sums in dx are over all of them, m is the last element of the
// moments, and there is one more operand, counts.
type batchNormGrad[T Float] struct {
	noGradient[T]
	normSettings
	a    *args[T]
	l    channels
	sums [][2]float64 // of dz·(x - μ) and of dz, by channel
	dw   [2][]T       // dscale and dshift
	body func(lo, hi int)

	joint                 []float64 // the sums over all members, one after the other
	sumChunk, gradsOfRuns func(lo, hi int)

	inBlocks *blockNorm[T] // nil until it is used
}

func (k *batchNormGrad[T]) name() string     { return "batchNormGrad." + k.act.String() }
func (k *batchNormGrad[T]) clone() kernel[T] { return &batchNormGrad[T]{normSettings: k.normSettings} }

func (k *batchNormGrad[T]) joins(result tensor.Shape) int {
	if k.comm == nil || !k.requiresGrad {
		return 0
	}
	return 2 * result[1]
}

func (k *batchNormGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !k.requiresGrad {
		return in[1].Clone(), nil
	}
	return in[0].Clone(), sameShape(in[0], in[4])
}

func (k *batchNormGrad[T]) pieces() ([]bool, bool) {
	return []bool{true, false, false, false, true, false}, k.requiresGrad
}

func (k *batchNormGrad[T]) blocks([]tensor.Shape, bool) ([]int, bool) {
	if !k.requiresGrad {
		return k.with([]int{1, 0, 0, 0, 1, 0}, 5), false
	}
	return k.with([]int{1, 0, 0, 0, 1, 1}, 5), false
}

func (k *batchNormGrad[T]) side(i int) []T { return k.dw[i] }

func (k *batchNormGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body, k.sumChunk, k.gradsOfRuns = k.chunk, k.addUp, k.inputGrads
	}
	k.a = a
	k.l, _ = channelsOf(a.shapes[0])
	k.sums = sized(k.sums, k.l.c)
	for i := range k.dw {
		k.dw[i] = sized(k.dw[i], k.l.c)
	}
	if a.inBlocks(0) {
		if k.inBlocks == nil {
			k.inBlocks = newBlockNorm[T]()
		}
		return k.inBlocks.grad(k)
	}
	if k.comm == nil || !k.requiresGrad {
		par.For(k.l.c, k.l.grain(), k.body)
		return nil
	}
	par.For(k.l.c, k.l.grain(), k.sumChunk)
	if err := k.join(); err != nil {
		return err
	}
	par.For(k.l.c, k.l.grain(), k.gradsOfRuns)
	return nil
}

// join has the terms of dx come from the sums over all members: none on one that counts
// for nothing.
func (k *batchNormGrad[T]) join() error {
	if k.comm == nil {
		return nil
	}
	counts := k.a.in[5][0] != 0
	k.joint = sized(k.joint, 2*k.l.c)
	clear(k.joint)
	for j := 0; j < k.l.c && counts; j++ {
		k.joint[2*j], k.joint[2*j+1] = k.sums[j][0], k.sums[j][1]
	}
	if err := collective.Sum(k.comm, k.joint); err != nil {
		return errors.WithMessage(err, "gradients over all members")
	}
	if !counts {
		clear(k.joint)
	}
	return nil
}

func (k *batchNormGrad[T]) chunk(lo, hi int) {
	k.addUp(lo, hi)
	if k.requiresGrad {
		k.inputGrads(lo, hi)
	}
}

// addUp makes the sums of channels [lo, hi).
func (k *batchNormGrad[T]) addUp(lo, hi int) {
	c := k.l.c
	mean, inv := k.a.in[3][:c], k.a.in[3][c:2*c]
	scale, shift := k.a.in[1], k.a.in[2]
	room := k.a.room(3 * k.l.s)
	defer k.a.leave(room)
	clear(k.sums[lo:hi])
	for i := range k.l.n {
		for j := lo; j < hi; j++ {
			x, dy := k.channels(i, j, room)
			var p, q float64
			if k.act == ReLUAct {
				p, q = simd.BatchReLUSums(x, dy, mean[j], scale[j]*inv[j], shift[j])
			} else {
				p, q = simd.BatchSums(x, dy, mean[j])
			}
			k.sums[j][0] += p
			k.sums[j][1] += q
		}
	}
	k.setSums(lo, hi)
}

// setSums makes dscale and dshift of channels [lo, hi).
func (k *batchNormGrad[T]) setSums(lo, hi int) {
	inv := k.a.in[3][k.l.c:]
	for j := lo; j < hi; j++ {
		k.dw[0][j], k.dw[1][j] = T(k.sums[j][0]*float64(inv[j])), T(k.sums[j][1])
	}
	if !k.requiresGrad {
		copy(k.a.out[lo:hi], k.dw[0][lo:hi])
	}
}

// inputGrads sets dx in channels [lo, hi).
func (k *batchNormGrad[T]) inputGrads(lo, hi int) {
	room := k.a.room(3 * k.l.s)
	defer k.a.leave(room)
	for i := range k.l.n {
		for j := lo; j < hi; j++ {
			k.channelGrad(i, j, room)
		}
	}
}

// terms are slope and level of channel j, by which dx = f·dz - (x - μ)·slope - level: 0
// where the moments are given.
func (k *batchNormGrad[T]) terms(j int, f T) (slope, level T) {
	if k.given {
		return 0, 0
	}
	m, sums, inv := float64(k.l.n*k.l.s), k.sums[j], k.a.in[3][k.l.c+j]
	if k.comm != nil {
		m, sums = float64(k.a.in[3][3*k.l.c]), [2]float64{k.joint[2*j], k.joint[2*j+1]}
	}
	slope = T(sums[0] / m * float64(inv) * float64(inv) * float64(f))
	return slope, T(sums[1] / m * float64(f))
}

// channels are channel j of image i of x and dy.
func (k *batchNormGrad[T]) channels(i, j int, room []T) (x, dy []T) {
	at, s := (i*k.l.c+j)*k.l.s, k.l.s
	if room == nil {
		return k.a.in[0][at : at+s], k.a.in[4][at : at+s]
	}
	return k.a.piece(0, at, at+s, room), k.a.piece(4, at, at+s, room[s:])
}

// channelGrad sets dx in channel j of image i.
func (k *batchNormGrad[T]) channelGrad(i, j int, room []T) {
	at := (i*k.l.c + j) * k.l.s
	var own []T
	if room != nil {
		own = room[2*k.l.s:]
	}
	dx := k.a.place(at, at+k.l.s, own)
	x, dy := k.channels(i, j, room)
	mean, inv := k.a.in[3][j], k.a.in[3][k.l.c+j]
	f := k.a.in[1][j] * inv
	slope, level := k.terms(j, f)
	if k.act == ReLUAct {
		simd.BatchReLUGrad(dx, x, dy, mean, f, k.a.in[2][j], slope, level)
	} else {
		simd.BatchGrad(dx, x, dy, mean, f, slope, level)
	}
	k.a.put(at, dx)
}
