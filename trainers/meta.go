package trainers

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/internal/array"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// MetaSGD is plain gradient descent on φ.
func MetaSGD(lr float64) Optimizer { return SGD(lr) }

// MetaRMSprop is RMSprop on φ with bias correction. Without it the first
// meta-step is 1/√(1-0.99) = 10 times too long, and many runs diverge at once;
// RMSprop(lr) as a meta-optimizer has that form.
func MetaRMSprop(lr float64) Optimizer {
	c := RMSprop(lr)
	c.BiasCorrection = true
	return c
}

// MetaAdam is Adam on φ.
func MetaAdam(lr float64) Optimizer { return Adam(lr) }

// metaOptimizer moves φ by ∂Q/∂φ. Any rule of this package with a learning rate
// will do, for it sees φ as parameters.
type metaOptimizer struct {
	rule  mover
	rates []float64
	phi   []NamedTensor
	dphi  []*tensor.Dense
	clip  float64  // largest norm of the meta-gradient, 0 for any
	steps []uint64 // one number: those taken, not skipped
}

func newMetaOptimizer(o Optimizer, phi []NamedTensor, clip float64) (*metaOptimizer, error) {
	params := make([]*graph.Param, len(phi))
	m := &metaOptimizer{phi: phi, clip: clip, steps: make([]uint64, 1)}
	for i, p := range phi {
		params[i] = &graph.Param{Name: p.Name, Value: p.Value}
		m.rates = append(m.rates, o.LearningRate())
	}
	m.dphi = array.ZerosLike(params)
	var err error
	m.rule, err = startMover(o, params)
	return m, err
}

// startMover starts a rule that needs gradients alone.
func startMover(o Optimizer, params []*graph.Param) (mover, error) {
	r, err := o.start(&task{params: params})
	if err != nil {
		return nil, errors.WithMessage(err, "trainers: meta-optimizer")
	}
	m, ok := r.(mover)
	if !ok {
		return nil, errors.Errorf("trainers: %s cannot be a meta-optimizer", o.Name())
	}
	return m, nil
}

// state lists the arrays of the meta-optimizer and the number of its steps.
func (m *metaOptimizer) state() []NamedTensor {
	return append(m.rule.state(), NamedTensor{Name: "steps", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(m.steps))})
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
	if m.clip > 0 && gradNorm > m.clip {
		for _, d := range m.dphi {
			array.Scale(d, m.clip/gradNorm)
		}
		norm = m.clip
	}
	if norm > m.largest() {
		return gradNorm, true, nil
	}
	m.steps[0]++
	return gradNorm, false, m.rule.step(signal{t: int(m.steps[0]), g: m.dphi, norm: norm}, m.rates)
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
	if !m.rule.certain(signal{t: int(m.steps[0]) + 1, norm: m.largest()}, m.rates) {
		m.rule.forget()
		return math.Inf(1)
	}
	return m.rule.reached()
}
