package curvature

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// grafts are the rules whose step length can be grafted, with their usual
// hyperparameters. The learning rate is not used.
var grafts = map[string]rule.Optimizer{
	"none": nil, "sgd": rule.SGD(1), "rmsprop": rule.RMSprop(1), "adam": rule.Adam(1),
}

// grafting gives the direction of each block the norm of another rule's.
type grafting[T apoops.Float] struct {
	rule  rule.Rule
	ones  []float64 // a rate for each parameter
	size  float64   // the number of weights
	norms []float64 // by block
	inner blas.Inner[T]
	vec   array.Vectors[T]
}

// startGraft starts the rule of that name for a task, nil for none.
func startGraft(name string, t *rule.Task) (rule.Rule, error) {
	o := grafts[name]
	if o == nil {
		return nil, nil
	}
	return o.Start(&rule.Task{Params: t.Params, Precision: t.Precision})
}

func newGrafting[T apoops.Float](r rule.Rule, t *rule.Task, blocks int) *grafting[T] {
	g := &grafting[T]{rule: r, norms: make([]float64, blocks), ones: make([]float64, len(t.Params))}
	for i, p := range t.Params {
		g.ones[i] = 1
		g.size += float64(p.Value.DataSize())
	}
	return g
}

// observe advances the other rule and keeps its norms.
func (g *grafting[T]) observe(in rule.Input, blocks []*gradientBlock[T]) error {
	d, err := g.rule.Directions(in)
	if err != nil {
		return err
	}
	for i, b := range blocks {
		var sum float64
		for _, j := range b.Params {
			sum += g.inner.Product(apoops.Elements[T](d[j]), apoops.Elements[T](d[j]))
		}
		g.norms[i] = math.Sqrt(sum)
	}
	return nil
}

// reach bounds the norm that the other rule gives a block.
func (g *grafting[T]) reach(in rule.Input) float64 {
	if !g.rule.StaysFinite(in, g.ones) {
		g.rule.Invalidate()
		return math.Inf(1)
	}
	return math.Sqrt(g.size) * g.rule.Reach()
}

// scale gives d, the direction of block i, the other rule's norm. A direction of
// length 0 stays.
func (g *grafting[T]) scale(i int, d []T) {
	if own := math.Sqrt(g.inner.Product(d, d)); own > 0 {
		g.vec.Average(d, d, T(g.norms[i]/own), 0)
	}
}
