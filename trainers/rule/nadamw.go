package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// NAdamWConfig is Nadam, Adam with Nesterov's momentum (Dozat 2016), with decoupled weight
// decay:
//
//	m ← Beta1·m + (1-Beta1)·g
//	v ← Beta2·v + (1-Beta2)·g²
//	d = (μ_{t+1}·m/(1-Π_{t+1}) + (1-μ_t)·g/(1-Π_t)) / (√v̂ + Eps) + WeightDecay·θ
//	θ ← θ - η·d
//
// with v̂ = v/(1-Beta2^t) and Π_t = μ_1·…·μ_t. The momentum follows Dozat's schedule,
// μ_t = Beta1·(1 - 0.96^(t·MomentumDecay)/2), as in PyTorch's NAdam with
// decoupled_weight_decay. With MomentumDecay = 0 it is Beta1 at every step, the form that
// AlgoPerf's baselines have; PyTorch takes Beta1/2 there. Make it with NAdamW.
type NAdamWConfig struct {
	OptimizerBase
	LR            float64 `json:"lr"`
	Beta1         float64 `json:"beta1"` // at least 0, below 1
	Beta2         float64 `json:"beta2"` // at least 0, below 1
	Eps           float64 `json:"eps"`   // 0 or more, outside the root
	WeightDecay   float64 `json:"weight_decay"`
	MomentumDecay float64 `json:"momentum_decay"` // of μ_t, 0 for μ_t = Beta1
}

var _ Optimizer = (*NAdamWConfig)(nil)

// NAdamW has β1 = 0.9, β2 = 0.999, ε = 1e-8, weight decay 0.01 and Dozat's schedule with
// momentum decay 0.004.
func NAdamW(lr float64) *NAdamWConfig {
	return &NAdamWConfig{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, MomentumDecay: 0.004}
}

// Name implements Optimizer.
func (c *NAdamWConfig) Name() string { return "nadamw" }

// LearningRate implements Optimizer.
func (c *NAdamWConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *NAdamWConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2),
		NotNegative("eps", c.Eps), NotNegative("weight_decay", c.WeightDecay), NotNegative("momentum_decay", c.MomentumDecay))
}

// Start implements Optimizer.
func (c *NAdamWConfig) Start(t *Task) (Rule, error) {
	return Elementwise(t, &nadamw[float32]{c: *c}, &nadamw[float64]{c: *c})
}

// momentum is μ_t.
func (c *NAdamWConfig) momentum(t int) float64 {
	if c.MomentumDecay == 0 {
		return c.Beta1
	}
	return c.Beta1 * (1 - 0.5*math.Pow(0.96, float64(t)*c.MomentumDecay))
}

type nadamw[T apoops.Float] struct {
	c       NAdamWConfig
	at      int     // the step of product
	product float64 // Π_at
	// The weights of m and g in the direction, and 1/√(1-Beta2^t).
	average, fresh, root T
}

func (k *nadamw[T]) Moments() []string { return []string{"m", "v"} }

func (k *nadamw[T]) Kinds() []precision.Kind {
	return []precision.Kind{precision.Momentum, precision.SecondMoments}
}

// Begin multiplies in the order of the steps, wherever it begins: the bits are those of a
// run never stopped.
func (k *nadamw[T]) Begin(t int) {
	if k.at == 0 || t < k.at {
		k.at, k.product = 0, 1
	}
	for k.at < t {
		k.at++
		k.product *= k.c.momentum(k.at)
	}
	next := k.c.momentum(t + 1)
	k.average = T(next / (1 - k.product*next))
	k.fresh = T((1 - k.c.momentum(t)) / (1 - k.product))
	k.root = T(1 / math.Sqrt(1-math.Pow(k.c.Beta2, float64(t))))
}

func (k *nadamw[T]) Place() Place { return OwnBuffer }

func (k *nadamw[T]) Direction(d, w, g []T, m [][]T) []T {
	blas.Combine(m[0], m[0], g, T(k.c.Beta1), T(1-k.c.Beta1))
	blas.AverageSquares(m[1], g, T(k.c.Beta2), T(1-k.c.Beta2))
	blas.Combine(d, m[0], g, k.average, k.fresh)
	blas.DivideByRoots(d, d, m[1], 1, k.root, T(k.c.Eps))
	blas.Axpy(T(k.c.WeightDecay), w, d)
	return d
}

func (k *nadamw[T]) Reach(w, g float64, m []float64) float64 {
	m[0], m[1] = max(m[0], g), max(m[1], g*g)
	keep, root, eps := 1-k.c.Beta2, float64(k.root), float64(T(k.c.Eps))
	return float64(T(k.c.WeightDecay))*w +
		scaledReach[T](m[0], float64(k.average), root, eps, averageRatio(k.c.Beta1, k.c.Beta2), keep) +
		scaledReach[T](g, float64(k.fresh), root, eps, 1/math.Sqrt(keep), keep)
}

// SearchDirection is e = g/((√v̂ + Eps)(1+Beta1)), that of Adam, whose steps sum up to the
// same. The weight decay is no part of it.
func (k *nadamw[T]) SearchDirection(d, _, g []T, m [][]T) {
	blas.DivideByRoots(d, g, m[1], T(1/(1+k.c.Beta1)), k.root, T(k.c.Eps))
}

func (k *nadamw[T]) Correction(int) float64 { return 1 }
