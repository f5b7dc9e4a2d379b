package apoops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

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
	first, err := apply[T](d, in[0], in[1], in[2], in[3], dz)
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
	return gorgonia.Nodes{dx, dscale, dshift, nil}, nil
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
// sums.
type batchNormGrad[T Float] struct {
	noGradient[T]
	normSettings
	a    *args[T]
	l    channels
	sums [][2]float64 // of dz·(x - μ) and of dz, by channel
	dw   [2][]T       // dscale and dshift
	body func(lo, hi int)
}

func (k *batchNormGrad[T]) name() string     { return "batchNormGrad." + k.act.String() }
func (k *batchNormGrad[T]) clone() kernel[T] { return &batchNormGrad[T]{normSettings: k.normSettings} }

func (k *batchNormGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !k.requiresGrad {
		return in[1].Clone(), nil
	}
	return in[0].Clone(), sameShape(in[0], in[4])
}

func (k *batchNormGrad[T]) side(i int) []T { return k.dw[i] }

func (k *batchNormGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.chunk
	}
	k.a = a
	k.l, _ = channelsOf(a.shapes[0])
	k.sums = sized(k.sums, k.l.c)
	for i := range k.dw {
		k.dw[i] = sized(k.dw[i], k.l.c)
	}
	par.For(k.l.c, k.l.grain(), k.body)
	return nil
}

func (k *batchNormGrad[T]) chunk(lo, hi int) {
	c := k.l.c
	mean, inv := k.a.in[3][:c], k.a.in[3][c:2*c]
	scale, shift := k.a.in[1], k.a.in[2]
	clear(k.sums[lo:hi])
	for i := range k.l.n {
		for j := lo; j < hi; j++ {
			x, dy := k.channel(0, i, j), k.channel(4, i, j)
			var p, q float64
			if k.act == ReLUAct {
				p, q = maskedSums(x, dy, mean[j], scale[j]*inv[j], shift[j])
			} else {
				p, q = plainSums(x, dy, mean[j])
			}
			k.sums[j][0] += p
			k.sums[j][1] += q
		}
	}
	for j := lo; j < hi; j++ {
		k.dw[0][j], k.dw[1][j] = T(k.sums[j][0]*float64(inv[j])), T(k.sums[j][1])
	}
	if !k.requiresGrad {
		copy(k.a.out[lo:hi], k.dw[0][lo:hi])
		return
	}
	m := float64(k.l.n * k.l.s)
	if k.given {
		m = 0
	}
	for i := range k.l.n {
		for j := lo; j < hi; j++ {
			k.channelGrad(i, j, m)
		}
	}
}

// channel is channel j of image i of an operand.
func (k *batchNormGrad[T]) channel(operand, i, j int) []T {
	at := (i*k.l.c + j) * k.l.s
	return k.a.in[operand][at : at+k.l.s]
}

// channelGrad sets dx in channel j of image i; m is the number of values whose
// moments depend on x, or 0.
func (k *batchNormGrad[T]) channelGrad(i, j int, m float64) {
	at := (i*k.l.c + j) * k.l.s
	dx := k.a.out[at : at+k.l.s]
	x, dy := k.channel(0, i, j), k.channel(4, i, j)
	mean, inv := k.a.in[3][j], k.a.in[3][k.l.c+j]
	f := k.a.in[1][j] * inv
	var slope, level T
	if m > 0 {
		slope = T(k.sums[j][0] / m * float64(inv) * float64(inv) * float64(f))
		level = T(k.sums[j][1] / m * float64(f))
	}
	if k.act == ReLUAct {
		maskedNormGrad(dx, x, dy, mean, f, k.a.in[2][j], slope, level)
	} else {
		plainNormGrad(dx, x, dy, mean, f, slope, level)
	}
}

// The loops of batch norm's gradient over one channel of one image. Four elements
// per iteration save half the time; the sums of four are added up in float64.

// plainSums is Σ dy·(x - mean) and Σ dy.
func plainSums[T Float](x, dy []T, mean T) (product, sum float64) {
	x = x[:len(dy)]
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d := x[i:i+4:i+4], dy[i:i+4:i+4]
		product += float64((d[0]*(v[0]-mean) + d[1]*(v[1]-mean)) + (d[2]*(v[2]-mean) + d[3]*(v[3]-mean)))
		sum += float64((d[0] + d[1]) + (d[2] + d[3]))
	}
	for ; i < len(dy); i++ {
		product += float64(dy[i] * (x[i] - mean))
		sum += float64(dy[i])
	}
	return product, sum
}

// maskedSums is plainSums over the elements with (x - mean)·f + shift > 0.
func maskedSums[T Float](x, dy []T, mean, f, shift T) (product, sum float64) {
	x = x[:len(dy)]
	share := [2]T{0, 1}
	i := 0
	for ; i+4 <= len(dy); i += 4 {
		v, d := x[i:i+4:i+4], dy[i:i+4:i+4]
		p, q, r, s := v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		a := d[0] * share[positive(p*f+shift)&1]
		b := d[1] * share[positive(q*f+shift)&1]
		c := d[2] * share[positive(r*f+shift)&1]
		e := d[3] * share[positive(s*f+shift)&1]
		product += float64((a*p + b*q) + (c*r + e*s))
		sum += float64((a + b) + (c + e))
	}
	for ; i < len(dy); i++ {
		p := x[i] - mean
		a := dy[i] * share[positive(p*f+shift)&1]
		product += float64(a * p)
		sum += float64(a)
	}
	return product, sum
}

// plainNormGrad sets dx = dy·f - (x - mean)·slope - level.
func plainNormGrad[T Float](dx, x, dy []T, mean, f, slope, level T) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4]
		u[0] = d[0]*f - (v[0]-mean)*slope - level
		u[1] = d[1]*f - (v[1]-mean)*slope - level
		u[2] = d[2]*f - (v[2]-mean)*slope - level
		u[3] = d[3]*f - (v[3]-mean)*slope - level
	}
	for ; i < len(dx); i++ {
		dx[i] = dy[i]*f - (x[i]-mean)*slope - level
	}
}

// maskedNormGrad is plainNormGrad with dy = 0 but where (x - mean)·f + shift > 0.
func maskedNormGrad[T Float](dx, x, dy []T, mean, f, shift, slope, level T) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	share := [2]T{0, f}
	i := 0
	for ; i+4 <= len(dx); i += 4 {
		u, v, d := dx[i:i+4:i+4], x[i:i+4:i+4], dy[i:i+4:i+4]
		p, q, r, s := v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		u[0] = d[0]*share[positive(p*f+shift)&1] - p*slope - level
		u[1] = d[1]*share[positive(q*f+shift)&1] - q*slope - level
		u[2] = d[2]*share[positive(r*f+shift)&1] - r*slope - level
		u[3] = d[3]*share[positive(s*f+shift)&1] - s*slope - level
	}
	for ; i < len(dx); i++ {
		p := x[i] - mean
		dx[i] = dy[i]*share[positive(p*f+shift)&1] - p*slope - level
	}
}

// positive is 1 where z > 0, else 0: an index for a look-up, because branches on
// random signs are mispredicted.
func positive[T Float](z T) int {
	if z > 0 {
		return 1
	}
	return 0
}
