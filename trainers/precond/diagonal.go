package precond

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// diagonal learns a P = S² of one block from the diagonal h² of its Gauss-Newton
// matrix: P = 1/(mean h² + d) with a running average.
type diagonal[T apoops.Float] struct {
	name   string
	s      []T
	mean   []T
	weight []T // one number: what the weights of the average add up to
	memory float64
}

func newDiagonal[T apoops.Float](b *block, memory float64) *diagonal[T] {
	s := apoops.Elements[T](b.p.Factors()[0])
	return &diagonal[T]{name: b.Name, s: s, mean: make([]T, len(s)), weight: make([]T, 1), memory: memory}
}

// meta averages h². It reports false, and leaves P as it was, where h² is not finite.
func (d *diagonal[T]) meta(h *tensor.Dense, by metaStep) (measured, bool) {
	x := apoops.Elements[T](h)
	m := measured{size: float64(len(x)), energyA: 1, energyB: 1}
	if !finite(x) {
		return m, false
	}
	e := T(d.memory)
	d.weight[0] = e*d.weight[0] + 1 - e
	for i, v := range x {
		p := float64(d.s[i]) * float64(d.s[i])
		m.discrepancy += p * float64(v) / m.size
		m.trace += p
		d.mean[i] = e*d.mean[i] + (1-e)*v
		d.s[i] = T(1 / math.Sqrt(float64(d.mean[i])/float64(d.weight[0])+by.damping))
	}
	return m, true
}

// norm is the Frobenius norm of S, and the condition of P = S².
func (d *diagonal[T]) norm() (s, condition float64) {
	least, most := math.Inf(1), 0.0
	for _, v := range d.s {
		least, most = min(least, math.Abs(float64(v))), max(most, math.Abs(float64(v)))
	}
	return math.Sqrt(squares(d.s)), most * most / (least * least)
}

func (d *diagonal[T]) state() []checkpoint.NamedTensor {
	return []checkpoint.NamedTensor{
		{Name: d.name + "/mean", Value: array.Vector(d.mean)}, {Name: d.name + "/weight", Value: array.Vector(d.weight)},
	}
}
