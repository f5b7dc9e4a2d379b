package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// RMSpropConfig is RMSprop (Tieleman & Hinton 2012):
//
//	g ← g + WeightDecay·θ
//	v ← Decay·v + (1-Decay)·g²
//	d = g/(√v + Eps)
//	θ ← θ - η·d
//
// as PyTorch's. With BiasCorrection v/(1-Decay^t) stands for v, which keeps the
// first steps from being 1/√(1-Decay) times too long; with Momentum
// m ← Momentum·m + d takes the place of d. Make it with RMSprop.
type RMSpropConfig struct {
	OptimizerBase
	LR             float64 `json:"lr"`
	Decay          float64 `json:"decay"` // at least 0, below 1
	Eps            float64 `json:"eps"`   // 0 or more, outside the root
	Momentum       float64 `json:"momentum"`
	BiasCorrection bool    `json:"bias_correction"`
	WeightDecay    float64 `json:"weight_decay"` // L2 penalty, 0 or more
}

var _ Optimizer = (*RMSpropConfig)(nil)

// RMSprop has decay 0.99 and ε = 1e-8, no momentum, no bias correction.
func RMSprop(lr float64) *RMSpropConfig { return &RMSpropConfig{LR: lr, Decay: 0.99, Eps: 1e-8} }

// Name implements Optimizer.
func (c *RMSpropConfig) Name() string { return "rmsprop" }

// LearningRate implements Optimizer.
func (c *RMSpropConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *RMSpropConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("decay", c.Decay), NotNegative("eps", c.Eps),
		Fraction("momentum", c.Momentum), NotNegative("weight_decay", c.WeightDecay))
}

// Start implements Optimizer.
func (c *RMSpropConfig) Start(t *Task) (Rule, error) {
	return Elementwise(t, &rmsprop[float32]{c: *c}, &rmsprop[float64]{c: *c})
}

// Defaults implements Optimizer: λ_FSD is 0.1.
func (c *RMSpropConfig) Defaults() Defaults {
	d := c.OptimizerBase.Defaults()
	d.FSD = 0.1
	return d
}

type rmsprop[T apoops.Float] struct {
	c    RMSpropConfig
	t    int
	root T // 1/√(1-Decay^t) with bias correction, 1 without
}

func (k *rmsprop[T]) Moments() []string {
	if k.c.Momentum == 0 {
		return []string{"v"}
	}
	return []string{"v", "m"}
}

func (k *rmsprop[T]) Kinds() []precision.Kind {
	return []precision.Kind{precision.SecondMoments, precision.Momentum}[:len(k.Moments())]
}

func (k *rmsprop[T]) Begin(t int) {
	k.t, k.root = t, 1
	if k.c.BiasCorrection {
		k.root = 1 / T(math.Sqrt(1-math.Pow(k.c.Decay, float64(t))))
	}
}

func (k *rmsprop[T]) Place() Place { return OwnBuffer }

func (k *rmsprop[T]) Direction(d, w, g []T, m [][]T) []T {
	regularise(d, w, g, T(k.c.WeightDecay))
	blas.AverageSquares(m[0], d, T(k.c.Decay), T(1-k.c.Decay))
	blas.DivideByRoots(d, d, m[0], 1, k.root, T(k.c.Eps))
	if len(m) > 1 {
		blas.Combine(d, d, m[1], 1, T(k.c.Momentum))
		copy(m[1], d)
	}
	return d
}

func (k *rmsprop[T]) Reach(w, g float64, m []float64) float64 {
	g += float64(T(k.c.WeightDecay)) * w
	keep := 1 - k.c.Decay
	m[0] = max(m[0], g*g)
	d := scaledReach[T](g, 1, float64(k.root), float64(T(k.c.Eps)), 1/math.Sqrt(keep), keep)
	if len(m) > 1 {
		m[1] = k.c.Momentum*m[1] + d
		return m[1]
	}
	return d
}

// SearchDirection is e = g/(√(v/(1-Decay^t)) + Eps) with bias correction and
// c_t·g/(√v + Eps) without, over 1-μ² where there is momentum. The gradient
// includes the weight decay.
func (k *rmsprop[T]) SearchDirection(d, w, g []T, m [][]T) {
	regularise(d, w, g, T(k.c.WeightDecay))
	gain := T(NoiseGain(k.c.Momentum) * k.Correction(k.t))
	blas.DivideByRoots(d, d, m[0], gain, k.root, T(k.c.Eps))
}

// correction is c_t = √(1-Decay^t) where the rule has no bias correction of its
// own: v is that much too small.
func (k *rmsprop[T]) Correction(t int) float64 {
	if k.c.BiasCorrection {
		return 1
	}
	return math.Sqrt(1 - math.Pow(k.c.Decay, float64(t)))
}

// sqrt is one instruction for either type.
func sqrt[T apoops.Float](x T) T { return T(math.Sqrt(float64(x))) }
