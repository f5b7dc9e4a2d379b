package trainers

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// grafts are the rules whose step length can be grafted, with their usual
// hyperparameters. The learning rate is not used.
var grafts = map[string]Optimizer{
	"none": nil, "sgd": SGD(1), "rmsprop": RMSprop(1), "adam": Adam(1),
}

// grafting gives the direction of each block the norm of another rule's.
type grafting[T apoops.Float] struct {
	rule  rule
	norms []float64 // by block
	inner blas.Inner[T]
	vec   vectors[T]
}

// observe advances the other rule and keeps its norms.
func (g *grafting[T]) observe(s signal, blocks []*gradientBlock[T]) error {
	d, err := g.rule.directions(s)
	if err != nil {
		return err
	}
	for i, b := range blocks {
		var sum float64
		for _, j := range b.Params {
			sum += g.inner.Product(slice[T](d[j]), slice[T](d[j]))
		}
		g.norms[i] = math.Sqrt(sum)
	}
	return nil
}

// scale gives d, the direction of block i, the other rule's norm. A direction of
// length 0 stays.
func (g *grafting[T]) scale(i int, d []T) {
	if own := math.Sqrt(g.inner.Product(d, d)); own > 0 {
		g.vec.average(d, d, T(g.norms[i]/own), 0)
	}
}
