package rule

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// SGDConfig is stochastic gradient descent, optionally with momentum:
//
//	g ← g + WeightDecay·θ
//	m ← Momentum·m + g
//	d = m, or g + Momentum·m with Nesterov
//	θ ← θ - η·d
//
// as PyTorch's SGD without dampening. Make it with SGD or SGDm.
type SGDConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`
	Momentum    float64 `json:"momentum"`     // at least 0, below 1
	Nesterov    bool    `json:"nesterov"`     // needs momentum
	WeightDecay float64 `json:"weight_decay"` // L2 penalty, 0 or more
}

var _ Optimizer = (*SGDConfig)(nil)

// SGD is plain stochastic gradient descent.
func SGD(lr float64) *SGDConfig { return &SGDConfig{LR: lr} }

// SGDm is stochastic gradient descent with momentum 0.9.
func SGDm(lr float64) *SGDConfig { return &SGDConfig{LR: lr, Momentum: 0.9} }

// Name implements Optimizer.
func (c *SGDConfig) Name() string {
	if c.Momentum != 0 {
		return "sgdm"
	}
	return "sgd"
}

// LearningRate implements Optimizer.
func (c *SGDConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *SGDConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("momentum", c.Momentum), NotNegative("weight_decay", c.WeightDecay),
		Require("momentum", c.Momentum, !c.Nesterov || c.Momentum > 0, "positive for Nesterov's form"))
}

// Start implements Optimizer.
func (c *SGDConfig) Start(t *Task) (Rule, error) {
	return Elementwise(t, &sgd[float32]{c: *c}, &sgd[float64]{c: *c})
}

type sgd[T apoops.Float] struct{ c SGDConfig }

func (k *sgd[T]) Moments() []string {
	if k.c.Momentum == 0 {
		return nil
	}
	return []string{"m"}
}

func (k *sgd[T]) Kinds() []precision.Kind {
	if k.c.Momentum == 0 {
		return nil
	}
	return []precision.Kind{precision.Momentum}
}

func (k *sgd[T]) Begin(int) {}

func (k *sgd[T]) Place() Place {
	switch {
	case k.c.Momentum > 0 && !k.c.Nesterov:
		return InFirstMoment
	case k.c.Momentum == 0 && k.c.WeightDecay == 0:
		return InGradient
	}
	return OwnBuffer
}

func (k *sgd[T]) Direction(d, w, g []T, m [][]T) []T {
	if decay := T(k.c.WeightDecay); decay != 0 {
		regularise(d, w, g, decay)
		g = d
	}
	if k.c.Momentum == 0 {
		return g
	}
	v := m[0]
	blas.Scal(T(k.c.Momentum), v)
	blas.Axpy(1, g, v)
	if !k.c.Nesterov {
		return v
	}
	copy(d, g)
	blas.Axpy(T(k.c.Momentum), v, d)
	return d
}

func (k *sgd[T]) Reach(w, g float64, m []float64) float64 {
	mu := k.c.Momentum
	g += float64(T(k.c.WeightDecay)) * w
	if mu == 0 {
		return g
	}
	m[0] = mu*m[0] + g
	return g + m[0]
}

// SearchDirection is e = g/(1-μ²). The gradient includes the weight decay; Nesterov's form
// takes the gain of the heavy ball, whose steps sum up to the same.
func (k *sgd[T]) SearchDirection(d, w, g []T, _ [][]T) {
	regularise(d, w, g, T(k.c.WeightDecay))
	blas.Scal(T(NoiseGain(k.c.Momentum)), d)
}

func (k *sgd[T]) Correction(int) float64 { return 1 }

// regularise is d = g + decay·w.
func regularise[T apoops.Float](d, w, g []T, decay T) {
	copy(d, g)
	if decay == 0 {
		return
	}
	blas.Axpy(decay, w[:len(d)], d)
}
