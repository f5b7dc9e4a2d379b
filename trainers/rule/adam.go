package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// AdamConfig is Adam (Kingma & Ba 2015) or, with Decoupled, AdamW (Loshchilov &
// Hutter 2019):
//
//	m ← Beta1·m + (1-Beta1)·g
//	v ← Beta2·v + (1-Beta2)·g²
//	d = m̂/(√v̂ + Eps), with m̂ = m/(1-Beta1^t), v̂ = v/(1-Beta2^t)
//	θ ← θ - η·d
//
// Weight decay adds WeightDecay·θ to the gradient, or to d where it is
// decoupled. Make it with Adam or AdamW.
type AdamConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`
	Beta1       float64 `json:"beta1"` // at least 0, below 1
	Beta2       float64 `json:"beta2"` // at least 0, below 1
	Eps         float64 `json:"eps"`   // 0 or more, outside the root
	WeightDecay float64 `json:"weight_decay"`
	Decoupled   bool    `json:"decoupled"`
}

var _ Optimizer = (*AdamConfig)(nil)

// Adam has β1 = 0.9, β2 = 0.999 and ε = 1e-8.
func Adam(lr float64) *AdamConfig {
	return &AdamConfig{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
}

// AdamW is Adam with decoupled weight decay 0.01.
func AdamW(lr float64) *AdamConfig {
	c := Adam(lr)
	c.WeightDecay, c.Decoupled = 0.01, true
	return c
}

// Name implements Optimizer.
func (c *AdamConfig) Name() string {
	if c.Decoupled {
		return "adamw"
	}
	return "adam"
}

// LearningRate implements Optimizer.
func (c *AdamConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *AdamConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2),
		NotNegative("eps", c.Eps), NotNegative("weight_decay", c.WeightDecay))
}

// Start implements Optimizer.
func (c *AdamConfig) Start(t *Task) (Rule, error) {
	return Elementwise(t, &adam[float32]{c: *c}, &adam[float64]{c: *c})
}

type adam[T apoops.Float] struct {
	c           AdamConfig
	first, root T // 1-Beta1^t and √(1-Beta2^t)
}

func (k *adam[T]) Moments() []string { return []string{"m", "v"} }

func (k *adam[T]) Kinds() []precision.Kind {
	return []precision.Kind{precision.Momentum, precision.SecondMoments}
}

func (k *adam[T]) Begin(t int) {
	k.first = T(1 - math.Pow(k.c.Beta1, float64(t)))
	k.root = T(math.Sqrt(1 - math.Pow(k.c.Beta2, float64(t))))
}

func (k *adam[T]) Place() Place { return OwnBuffer }

func (k *adam[T]) Direction(d, w, g []T, m [][]T) []T {
	decay := T(k.c.WeightDecay)
	if !k.c.Decoupled {
		regularise(d, w, g, decay)
		g, decay = d, 0
	}
	blas.Combine(m[0], m[0], g, T(k.c.Beta1), T(1-k.c.Beta1))
	blas.AverageSquares(m[1], g, T(k.c.Beta2), T(1-k.c.Beta2))
	blas.DivideByRoots(d, m[0], m[1], 1/k.first, 1/k.root, T(k.c.Eps))
	blas.Axpy(decay, w, d)
	return d
}

func (k *adam[T]) Reach(w, g float64, m []float64) float64 {
	decay := float64(T(k.c.WeightDecay)) * w
	if !k.c.Decoupled {
		g += decay
		decay = 0
	}
	m[0], m[1] = max(m[0], g), max(m[1], g*g)
	ratio := averageRatio(k.c.Beta1, k.c.Beta2)
	return decay + scaledReach[T](m[0], 1/float64(k.first), 1/float64(k.root), float64(T(k.c.Eps)), ratio, 1-k.c.Beta2)
}

// SearchDirection is e = g/((√v̂ + Eps)(1+Beta1)). The gradient includes the weight decay
// unless it is decoupled: then it is no part of e, for it does not follow the
// loss.
func (k *adam[T]) SearchDirection(d, w, g []T, m [][]T) {
	decay := T(k.c.WeightDecay)
	if k.c.Decoupled {
		decay = 0
	}
	regularise(d, w, g, decay)
	blas.DivideByRoots(d, d, m[1], T(1/(1+k.c.Beta1)), 1/k.root, T(k.c.Eps))
}

func (k *adam[T]) Correction(int) float64 { return 1 }
