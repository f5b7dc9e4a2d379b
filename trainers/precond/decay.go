package precond

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// addDecay is x ← x + decay·θ for a block's x and those weights of it that decay.
func (v *vectors[T]) addDecay(k rule.Decayed, params []*graph.Param, b *block, x []T, decay float64) {
	if decay == 0 {
		return
	}
	for _, i := range b.Params {
		w := apoops.Elements[T](params[i].Value)
		n := k.DecayLen(i, len(w))
		v.Average(x[:n], w[:n], 1, T(decay))
		x = x[len(w):]
	}
}
