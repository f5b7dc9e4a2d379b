package precond

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// arrays are those of a block that its bounds are of: the weights of its
// parameters, the momentum if there is one, the factors.
func (u *plainUpdate[T]) arrays(b *block) [][]T {
	var all [][]T
	for _, i := range b.Params {
		all = append(all, apoops.Elements[T](u.params[i].Value))
	}
	if b.m != nil {
		all = append(all, apoops.Elements[T](b.m))
	}
	for _, q := range b.p.Factors() {
		all = append(all, apoops.Elements[T](q))
	}
	return all
}

func (u *plainUpdate[T]) StaysFinite(in rule.Input, scale float64, _ bool, growth float64) bool {
	return u.bounds.Hold(func(i int, x []float64) bool {
		b := u.blocks[i]
		weights, rest := x[:len(b.Params)], x[len(b.Params):]
		momentum := []float64{0}
		if b.m != nil {
			momentum, rest = rest[:1], rest[1:]
		}
		for j := range rest {
			rest[j] += growth * math.Sqrt(float64(b.factors[j].Value.DataSize()))
		}
		norm := in.Norm
		for _, w := range weights {
			norm += float64(T(u.c.WeightDecay)) * w
		}
		move := b.reach(u.c, norm, rest, momentum)
		for j := range weights {
			weights[j] += float64(T(scale)) * move
		}
		return array.Within[T](move)
	})
}

// reach bounds the elements of a block's update, and the momentum, by the norms
// of the gradient and of the factors.
func (b *block) reach(c PlainConfig, g float64, factors, momentum []float64) float64 {
	p := b.p.Bound(factors)
	whole := p * max(g, 1)
	switch c.MomentumMode {
	case MomentumGradient:
		momentum[0] = c.Momentum*momentum[0] + c.Dampening*g
		return p * max(momentum[0], 1)
	case MomentumPlain:
		momentum[0] = c.Momentum*momentum[0] + c.Dampening*whole
		return whole + momentum[0]
	}
	return whole
}

func (u *plainUpdate[T]) Invalidate() { u.bounds.Invalidate() }
