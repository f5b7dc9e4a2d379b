package learn

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// metaOptimizer moves φ by ∂Q/∂φ. Any rule that needs gradients alone will do: its
// parameters are φ.
type metaOptimizer struct {
	c       *Settings // Meta and ClipMeta
	rule    rule.Rule
	descent array.Descent
	params  []*graph.Param // φ
	rates   []float64
	phi     []checkpoint.NamedTensor
	dphi    []*tensor.Dense
	steps   []uint64 // one number: those taken, not skipped
}

func newMetaOptimizer(c *Settings, phi []checkpoint.NamedTensor) (*metaOptimizer, error) {
	m := &metaOptimizer{c: c, phi: phi, steps: make([]uint64, 1), params: make([]*graph.Param, len(phi)), rates: make([]float64, len(phi))}
	for i, p := range phi {
		m.params[i] = &graph.Param{Name: p.Name, Value: p.Value}
	}
	m.dphi = array.ZerosLike(m.params)
	var err error
	if m.descent, err = array.NewDescent(phi[0].Value.Dtype()); err != nil {
		return nil, errors.WithMessage(err, "trainers: meta-optimizer")
	}
	if m.rule, err = rule.Start(c.Meta, &rule.Task{Params: m.params}); err != nil {
		return nil, errors.WithMessage(err, "trainers: meta-optimizer")
	}
	if m.rule.Iterates() != nil {
		return nil, errors.Errorf("trainers: %s cannot be a meta-optimizer: its steps are those of several sequences of weights", c.Meta.Name())
	}
	return m, nil
}

// state lists the arrays of the meta-optimizer and the number of its steps.
func (m *metaOptimizer) state() []checkpoint.NamedTensor {
	return append(m.rule.State(), checkpoint.NamedTensor{Name: "steps", Value: array.Vector(m.steps)})
}

// values are the arrays of φ.
func (m *metaOptimizer) values() []*tensor.Dense {
	v := make([]*tensor.Dense, len(m.phi))
	for i, p := range m.phi {
		v[i] = p.Value
	}
	return v
}

// step moves φ by the gradient in dphi and returns the gradient's norm. A
// gradient that is not finite, or whose square is not in φ's dtype, is skipped.
func (m *metaOptimizer) step() (gradNorm float64, skipped bool, err error) {
	gradNorm = math.Sqrt(array.SumSquares(m.dphi...))
	if !array.IsFinite(gradNorm) {
		return gradNorm, true, nil
	}
	norm := gradNorm
	if clip := m.c.ClipMeta; clip > 0 && gradNorm > clip {
		for _, d := range m.dphi {
			array.Scale(d, clip/gradNorm)
		}
		norm = clip
	}
	if norm > m.largest() {
		return gradNorm, true, nil
	}
	m.steps[0]++
	rates := m.learningRates()
	in := rule.Input{T: int(m.steps[0]), G: m.dphi, Norm: norm, Rates: rates, Scale: 1}
	if f := m.rule.Fused(); f != nil {
		return gradNorm, false, f.Step(in, rates)
	}
	d, err := rule.Directions(m.c.Meta, m.rule, m.params, in)
	if err != nil {
		return gradNorm, false, err
	}
	m.descent.Move(m.params, d, rates)
	return gradNorm, false, nil
}

// learningRates are those of φ: of Meta as it is now, for a run that goes on may have had
// another default.
func (m *metaOptimizer) learningRates() []float64 {
	for i := range m.rates {
		m.rates[i] = m.c.Meta.LearningRate()
	}
	return m.rates
}

// largest is the largest norm of a gradient that is not skipped.
func (m *metaOptimizer) largest() float64 {
	limit, err := apoops.Choose(m.phi[0].Value.Dtype(), array.Limit[float32](), array.Limit[float64]())
	if err != nil {
		return 0
	}
	return math.Sqrt(limit)
}

// growth is how far the next step may move an element of φ, +Inf where φ or the
// state may overflow.
func (m *metaOptimizer) growth() float64 {
	if !m.rule.StaysFinite(rule.Input{T: int(m.steps[0]) + 1, Norm: m.largest()}, m.learningRates()) {
		m.rule.Invalidate()
		return math.Inf(1)
	}
	return m.rule.Reach()
}
